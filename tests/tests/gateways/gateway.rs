//! Real gateways as child processes.

use datafy_tests::bound;
use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long a gateway may take to start.
const START: Duration = Duration::from_secs(30);

/// A gateway and its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Varnish without a configuration: `varnishd -b ORIGIN`.
    Varnish,
    /// nginx with a `proxy_pass`.
    Nginx,
    /// nginx with a `proxy_pass` and a maintenance page, which it sends as a 503 with `Retry-After`.
    NginxMaintenance,
    /// HAProxy with `mode http`, as in the Debian package's configuration.
    HaProxy,
    /// The same, told to repeat requests.
    HaProxyRetrying,
    /// Apache's httpd with a `ProxyPass`.
    Apache,
    /// Envoy with a route.
    Envoy,
    /// The same, with the retries that Istio configures by default before its version 1.24.
    EnvoyRetrying,
}

/// The gateways that send a request once, as their defaults have it.
pub(crate) const KINDS: [Kind; 6] =
    [Kind::Varnish, Kind::Nginx, Kind::NginxMaintenance, Kind::HaProxy, Kind::Apache, Kind::Envoy];

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Self::Varnish => "varnishd",
            Self::Nginx | Self::NginxMaintenance => "nginx",
            Self::HaProxy | Self::HaProxyRetrying => "haproxy",
            Self::Apache => "apache2",
            Self::Envoy | Self::EnvoyRetrying => "envoy",
        }
    }

    /// The text of its configuration file, and what is added to it. Varnish has none.
    fn configuration(self) -> String {
        macro_rules! file {
            ($name:literal) => {
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/gateways/", $name))
            };
        }
        let (template, extra) = match self {
            Self::Varnish => ("", ""),
            Self::Nginx => (file!("nginx.conf"), ""),
            Self::NginxMaintenance => (file!("nginx.conf"), file!("nginx_maintenance.conf")),
            Self::HaProxy => (file!("haproxy.cfg"), ""),
            Self::HaProxyRetrying => (file!("haproxy.cfg"), file!("haproxy_retries.cfg")),
            Self::Apache => (file!("apache.conf"), ""),
            Self::Envoy => (file!("envoy.yaml"), ""),
            Self::EnvoyRetrying => (file!("envoy.yaml"), file!("envoy_istio.yaml")),
        };
        template.replace("{extra}", extra.trim_end())
    }

    /// The command that runs it in the foreground. Everything that it writes goes below `directory`.
    ///
    /// The timeouts are the only settings that are not the defaults: those are up to a minute.
    fn command(self, directory: &Path, at: SocketAddr, origin: SocketAddr) -> Command {
        let configuration = self
            .configuration()
            .replace("{directory}", &directory.display().to_string())
            .replace("{at}", &at.to_string())
            .replace("{at port}", &at.port().to_string())
            .replace("{origin}", &origin.to_string())
            .replace("{origin port}", &origin.port().to_string());
        // Envoy recognizes YAML by the name.
        let path = directory.join("conf.yaml");
        fs::write(&path, configuration).unwrap();
        let program = self.program();
        let mut command = Command::new(find(program).unwrap_or_else(|| program.into()));
        match self {
            Self::Varnish => {
                command.args(["-F", "-j", "none"]).arg("-n").arg(directory);
                command.args(["-a", &at.to_string(), "-b", &origin.to_string()]);
                command.args(["-p", "connect_timeout=0.2", "-p", "first_byte_timeout=1"]);
                command.args(["-p", "between_bytes_timeout=1"]);
            }
            Self::Nginx | Self::NginxMaintenance => {
                fs::write(directory.join("maintenance.html"), "<h1>Back soon</h1>").unwrap();
                command.arg("-p").arg(directory).args(["-e", "stderr", "-c"]).arg(path);
            }
            Self::HaProxy | Self::HaProxyRetrying => {
                command.arg("-db").arg("-f").arg(path);
            }
            Self::Apache => {
                // In one process. Its children would outlive it when it is killed.
                command.arg("-X").arg("-f").arg(path);
            }
            Self::Envoy | Self::EnvoyRetrying => {
                // It would leave shared memory behind.
                command.args(["--disable-hot-restart", "-l", "warn", "-c"]).arg(path);
            }
        }
        command
    }
}

/// The programs that the gateways need and this machine does not have.
pub(crate) fn missing() -> BTreeSet<&'static str> {
    KINDS.map(Kind::program).into_iter().filter(|name| find(name).is_none()).collect()
}

/// Where a program is. Debian's are where only root's `PATH` leads to; `.ci/tools` installs Envoy below `target`.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let envoy = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/envoy/bin");
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into(), envoy.into()])
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// A gateway that runs until this is dropped.
pub(crate) struct Gateway {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
    _directory: TempDir,
    /// Keeps the port from everyone else until the gateway listens.
    _reservation: TcpSocket,
}

impl Gateway {
    /// Starts a gateway in front of `origin`, and waits until it answers.
    pub(crate) async fn start(kind: Kind, origin: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let reservation = bound();
        let address = reservation.local_addr().unwrap();
        let log = directory.path().join("log");
        let output = File::create(&log).unwrap();
        let mut command = kind.command(directory.path(), address, origin);
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let process = command.spawn().unwrap();
        let mut gateway =
            Self { process, address, log, _directory: directory, _reservation: reservation };
        let begun = Instant::now();
        while !answers(address).await {
            let ended = gateway.process.try_wait().unwrap();
            let waits = ended.is_none() && begun.elapsed() < START;
            assert!(waits, "{kind:?} did not start ({ended:?}):\n{}", gateway.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        gateway
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the gateway has written so far.
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Varnish's worker process ends by itself once this one is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether anything that looks like an answer comes from there. Connecting is not enough: Varnish
/// listens before it is ready.
async fn answers(address: SocketAddr) -> bool {
    let mut begin = [0; 5];
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = b"GET /ready HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await?;
        stream.read_exact(&mut begin).await
    };
    matches!(tokio::time::timeout(START, exchange).await, Ok(Ok(_))) && &begin == b"HTTP/"
}
