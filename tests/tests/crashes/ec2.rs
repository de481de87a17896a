//! An EC2 API that this project did not write: moto's server, read with the AWS CLI.
//!
//! Both are Python packages, which `.ci/tools` installs below `target`.

use datafy_api_ext::InstanceId;
use datafy_api_ext::fake::{Fake, FakeSnapshot, FakeVolume};
use datafy_tests::usable;
use reqwest::Url;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The EBS objects of each Datafy object.
const PARTS: usize = 2;

/// One in this many effects appears late.
const LATE: usize = 10;

/// The directory of the programs, or `None` if they are not installed. Panics then if `CI` is set.
pub(crate) fn programs() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/ec2/bin");
    let aws = usable(Command::new(directory.join("aws")).arg("--version"));
    (aws && usable(Command::new(directory.join("moto_server")).arg("--help"))).then_some(directory)
}

/// A server that keeps what the fake did as tagged EBS objects.
pub(crate) struct Ec2 {
    server: Child,
    programs: PathBuf,
    endpoint: String,
    http: reqwest::Client,
    /// The volume that all snapshots are of.
    disk: String,
    pub(crate) instance: InstanceId,
    /// Whether the description of a snapshot reaches EC2, which is not documented.
    descriptions: bool,
    snapshots: HashSet<String>,
    /// The EBS volumes of each Datafy volume.
    volumes: HashMap<String, Vec<String>>,
    attached: HashSet<String>,
}

impl Drop for Ec2 {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Ec2 {
    pub(crate) async fn start(programs: PathBuf, descriptions: bool) -> Self {
        let mut command = Command::new(programs.join("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let endpoint = lines
            .find_map(|line| Some(line.unwrap().split_once("Running on ")?.1.to_owned()))
            .expect("the server has started");
        // It logs each request.
        std::thread::spawn(move || lines.for_each(drop));
        let mut ec2 = Self {
            server,
            programs,
            endpoint,
            http: reqwest::Client::new(),
            disk: String::new(),
            instance: InstanceId::new("i-1").unwrap(),
            descriptions,
            snapshots: HashSet::new(),
            volumes: HashMap::new(),
            attached: HashSet::new(),
        };
        ec2.disk = ec2.create_volume(&[]).await;
        let parameters = [("ImageId", "ami-12c6146b"), ("MinCount", "1"), ("MaxCount", "1")];
        let answer = ec2.ask("RunInstances", &parameters.map(owned)).await;
        ec2.instance = InstanceId::new(between(&answer, "<instanceId>", "<")).unwrap();
        ec2
    }

    /// Creates the EBS objects of all effects that are not there yet, except for one in ten if `late` is false.
    pub(crate) async fn mirror(&mut self, fake: &Fake, late: bool) {
        for (number, snapshot) in fake.snapshots().iter().enumerate() {
            let is_seed = snapshot.id.as_str().contains("seed");
            if (is_seed || late || number % LATE != 0)
                && self.snapshots.insert(snapshot.id.to_string())
            {
                self.create_snapshot(snapshot, is_seed).await;
            }
        }
        for (number, volume) in fake.volumes().iter().enumerate() {
            if volume.source.is_none() || late || number % LATE != 0 {
                self.create_and_attach(volume).await;
            }
        }
    }

    async fn create_snapshot(&self, snapshot: &FakeSnapshot, is_seed: bool) {
        let tags = [
            ("datafy:snapshot:id", snapshot.id.as_str()),
            ("Managed-By", "Datafy.io"),
            ("datafy:snapshot:generation-id", "1"),
            ("datafy:source-volume:id", snapshot.volume.as_str()),
        ];
        // EC2 shows it as made now, and it would be taken for the effect of a call.
        let tags = if is_seed { &tags[..1] } else { &tags };
        let mut parameters = vec![owned(("VolumeId", self.disk.as_str()))];
        if self.descriptions {
            parameters
                .extend(snapshot.description.clone().map(|it| ("Description".to_owned(), it)));
        }
        parameters.extend(tagged("snapshot", tags));
        for _ in 0..PARTS {
            self.ask("CreateSnapshot", &parameters).await;
        }
    }

    async fn create_and_attach(&mut self, volume: &FakeVolume) {
        let id = volume.id.to_string();
        if !self.volumes.contains_key(&id) {
            let source = volume.source.as_ref();
            let source = source.map(|id| ("datafy:restored-from-snapshot:id", id.as_str()));
            let fixed = [("Managed-By", "Datafy.io"), ("datafy:source-volume:id", id.as_str())];
            let tags: Vec<_> = fixed.into_iter().chain(source).collect();
            let mut parts = Vec::new();
            for _ in 0..PARTS {
                parts.push(self.create_volume(&tags).await);
            }
            self.volumes.insert(id.clone(), parts);
        }
        let (Some(instance), Some(device)) = (&volume.instance, &volume.device) else { return };
        if self.attached.insert(id.clone()) {
            for (part, ebs) in self.volumes[&id].iter().enumerate() {
                let device = match part {
                    0 => device.to_string(),
                    part => format!("{device}{part}"),
                };
                let parameters = [("VolumeId", ebs.as_str()), ("InstanceId", instance.as_str())];
                let mut parameters = parameters.map(owned).to_vec();
                parameters.push(("Device".to_owned(), device));
                self.ask("AttachVolume", &parameters).await;
            }
        }
    }

    /// Creates an EBS volume with these tags, and returns its ID.
    pub(crate) async fn create_volume(&self, tags: &[(&str, &str)]) -> String {
        let parameters = [("Size", "1"), ("AvailabilityZone", "us-east-1a")];
        let mut parameters = parameters.map(owned).to_vec();
        parameters.extend(tagged("volume", tags));
        between(&self.ask("CreateVolume", &parameters).await, "<volumeId>", "<")
    }

    /// Sends a request of EC2's query API. The server checks no signature.
    async fn ask(&self, action: &str, parameters: &[(String, String)]) -> String {
        let fixed = [("Action", action), ("Version", "2016-11-15")].map(owned);
        let url = Url::parse_with_params(&self.endpoint, fixed.iter().chain(parameters)).unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ec2/aws4_request, \
                     SignedHeaders=host, Signature=0";
        let answer = self.http.get(url).header("authorization", scope).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {status}: {text}");
        text
    }

    /// The environment of a program that runs the AWS CLI.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        let path = format!("{}:/usr/bin:/bin", self.programs.display());
        let fixed = |text: &str| text.to_owned();
        [
            ("PATH", path),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", fixed("test")),
            ("AWS_SECRET_ACCESS_KEY", fixed("test")),
            ("AWS_DEFAULT_REGION", fixed("us-east-1")),
            ("AWS_PAGER", fixed("")),
        ]
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// The parameters that give an object its tags.
fn tagged(kind: &str, tags: &[(&str, &str)]) -> Vec<(String, String)> {
    if tags.is_empty() {
        return Vec::new();
    }
    let mut parameters = vec![owned(("TagSpecification.1.ResourceType", kind))];
    for (number, (key, value)) in (1..).zip(tags) {
        parameters.push((format!("TagSpecification.1.Tag.{number}.Key"), (*key).to_owned()));
        parameters.push((format!("TagSpecification.1.Tag.{number}.Value"), (*value).to_owned()));
    }
    parameters
}

fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split(end).next().unwrap().to_owned()
}
