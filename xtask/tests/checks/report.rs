use xtask::document::NOT_COMPARED;
use xtask::page::Shape;
use xtask::page::silence::SILENT;

#[test]
fn the_readme_lists_what_is_not_compared_and_what_a_page_can_not_show() {
    let readme = include_str!("../../README.md");
    for (keyword, why) in NOT_COMPARED {
        assert!(readme.contains(&format!("| `{keyword}` | {why} |\n")), "{keyword}");
    }
    for (what, shapes, _) in SILENT {
        let shown = |shape| if shapes.contains(&shape) { "silent" } else { "shown" };
        let row = format!("| {what} | {} | {} |\n", shown(Shape::Text), shown(Shape::Markdown));
        assert!(readme.contains(&row), "{row}");
    }
}
