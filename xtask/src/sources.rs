//! The Rust sources of the workspace, as far as they can be read without compiling them: which function
//! speaks of which name. They are read as they stand, so this works when they don't compile.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// Where hand-written code stands that depends on the spec.
const FOLDERS: [&str; 6] = [
    "datafy-api/src",
    "datafy-api-ext/src",
    "datafy-api-ext/examples",
    "tests/src",
    "tests/tests",
    "tests/benches",
];

pub const EXT: &str = "datafy-api-ext/src";
pub const GENERATED: &str = "datafy-api/src/generated.rs";

/// A function, or another item, and the names in it.
pub struct Item {
    pub file: String,
    pub line: u64,
    /// The type whose `impl` it stands in.
    pub owner: Option<String>,
    pub name: String,
    pub public: bool,
    /// The trait whose `impl` it stands in.
    pub of_trait: Option<String>,
    words: Vec<Word>,
    /// What a function returns.
    pub returns: String,
}

impl Item {
    /// The name under which people know it.
    pub fn label(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{owner}::{}", self.name),
            None => self.name.clone(),
        }
    }

    pub fn mentions(&self, word: &str) -> bool {
        self.line_of(word).is_some()
    }

    /// The first line on which it says `word`.
    pub fn line_of(&self, word: &str) -> Option<u64> {
        let word = self
            .words
            .iter()
            .find(|own| own.text == word || own.literal && own.text.eq_ignore_ascii_case(word));
        word.map(|word| word.line)
    }

    /// It makes something of the generated type of this name.
    pub fn is_from(&self, generated: &str) -> bool {
        self.of_trait.as_deref() == Some(&format!("From<types::{generated}>"))
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|word| word.text.as_str())
    }
}

/// A name, and the line on which it stands.
struct Word {
    text: String,
    line: u64,
    /// It stands in a literal: there header names may be written in any case.
    literal: bool,
}

/// All items.
#[derive(Default)]
pub struct Sources {
    pub items: Vec<Item>,
}

impl Sources {
    /// Reads what is there below `root`; a file that is no Rust has no items.
    pub fn load(root: &Path) -> Self {
        let mut sources = Self::default();
        for folder in FOLDERS {
            let mut files = Vec::new();
            rust_files(&root.join(folder), &mut files);
            files.sort();
            for path in files {
                let name = path.strip_prefix(root).unwrap_or(&path);
                let name = name.to_string_lossy().replace('\\', "/");
                if let Ok(text) = fs::read_to_string(&path) {
                    sources.read(&name, &text);
                }
            }
        }
        sources
    }

    pub fn read(&mut self, file: &str, text: &str) {
        let Ok(parsed) = syn::parse_file(text) else { return };
        let mut visitor = Visitor { file, owner: None, of_trait: None, items: &mut self.items };
        visitor.visit_file(&parsed);
    }

    /// The items of the crate that people use, without its fake.
    pub fn ext(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| {
            item.file.starts_with(EXT) && !item.file.starts_with("datafy-api-ext/src/fake")
        })
    }

    pub fn generated(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.file == GENERATED)
    }

    /// Hand-written items.
    pub fn written(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.file != GENERATED)
    }

    /// The files that say `word`.
    pub fn files_with(&self, word: &str) -> BTreeSet<&str> {
        self.items
            .iter()
            .filter(|item| item.mentions(word))
            .map(|item| item.file.as_str())
            .collect()
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

struct Visitor<'a> {
    file: &'a str,
    owner: Option<String>,
    of_trait: Option<String>,
    items: &'a mut Vec<Item>,
}

impl Visitor<'_> {
    fn add(&mut self, name: &syn::Ident, public: bool, returns: String, tokens: TokenStream) {
        let mut words = Vec::new();
        collect(tokens, &mut words);
        self.items.push(Item {
            file: self.file.to_owned(),
            line: name.span().start().line as u64,
            owner: self.owner.clone(),
            of_trait: self.of_trait.clone(),
            name: name.to_string(),
            public,
            words,
            returns,
        });
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        self.owner = Some(compact(&node.self_ty));
        self.of_trait = node.trait_.as_ref().map(|(path, _)| compact(path));
        visit::visit_item_impl(self, node);
        self.owner = None;
        self.of_trait = None;
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        let public = matches!(node.vis, syn::Visibility::Public(_));
        self.add(&node.sig.ident, public, compact(&node.sig.output), node.to_token_stream());
    }

    fn visit_impl_item_const(&mut self, node: &'ast syn::ImplItemConst) {
        self.add(&node.ident, false, String::new(), node.to_token_stream());
    }

    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        let public = matches!(node.vis, syn::Visibility::Public(_));
        self.add(&node.sig.ident, public, compact(&node.sig.output), node.to_token_stream());
    }

    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        let public = matches!(node.vis, syn::Visibility::Public(_));
        self.add(&node.ident, public, String::new(), node.to_token_stream());
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        let public = matches!(node.vis, syn::Visibility::Public(_));
        self.add(&node.ident, public, String::new(), node.to_token_stream());
    }
}

/// Tokens as a person would write them, without spaces.
fn compact(node: &impl ToTokens) -> String {
    node.to_token_stream().to_string().replace(' ', "")
}

fn collect(tokens: TokenStream, words: &mut Vec<Word>) {
    // A generated type is known by its path: other types have the same name.
    let mut path = String::new();
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if path == "types::" => {
                let line = ident.span().start().line as u64;
                words.push(Word { text: format!("types::{ident}"), line, literal: false });
                path.clear();
            }
            TokenTree::Ident(ident) => path = ident.to_string(),
            TokenTree::Punct(punct) if punct.as_char() == ':' => path.push(':'),
            _ => path.clear(),
        }
        match token {
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line as u64;
                words.push(Word { text: ident.to_string(), line, literal: false });
            }
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line as u64;
                let text = literal.to_string();
                let whole = text.trim_matches('"');
                let parts = whole.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
                let parts = parts.filter(|part| *part != whole && !part.is_empty());
                let texts = [whole].into_iter().chain(parts).map(str::to_owned);
                words.extend(texts.map(|text| Word { text, line, literal: true }));
            }
            TokenTree::Punct(_) => {}
        }
    }
}
