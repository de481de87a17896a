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
    /// HAProxy that refuses each request, and shows its token in several encodings.
    HaProxyReflecting,
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
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Varnish => "varnish",
            Self::Nginx => "nginx",
            Self::NginxMaintenance => "nginx, maintenance",
            Self::HaProxy => "haproxy",
            Self::HaProxyRetrying => "haproxy, retrying",
            Self::HaProxyReflecting => "haproxy, reflecting",
            Self::Apache => "apache",
            Self::Envoy => "envoy",
            Self::EnvoyRetrying => "envoy, retrying",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Varnish => "varnishd",
            Self::Nginx | Self::NginxMaintenance => "nginx",
            Self::HaProxy | Self::HaProxyRetrying | Self::HaProxyReflecting => "haproxy",
            Self::Apache => "apache2",
            Self::Envoy | Self::EnvoyRetrying => "envoy",
        }
    }

    /// Returns the text of its configuration file. Varnish has none.
    fn configuration(self) -> String {
        let (template, extra) = match self {
            Self::Varnish => ("", ""),
            Self::Nginx => (NGINX, ""),
            Self::NginxMaintenance => (NGINX, MAINTENANCE),
            Self::HaProxy => (HAPROXY, ""),
            Self::HaProxyRetrying => (HAPROXY, RETRIES),
            Self::HaProxyReflecting => (HAPROXY, REFLECTS),
            Self::Apache => (APACHE, ""),
            Self::Envoy => (ENVOY, ""),
            Self::EnvoyRetrying => (ENVOY, ISTIO),
        };
        template.replace("{extra}", extra)
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
            Self::HaProxy | Self::HaProxyRetrying | Self::HaProxyReflecting => {
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

const NGINX: &str = "\
daemon off;
master_process off;
pid pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {
        listen {at};
        location / {
            proxy_pass http://{origin};
            proxy_connect_timeout 200ms;
            proxy_read_timeout 1s;
        }
        {extra}
    }
}
";

const MAINTENANCE: &str = "\
error_page 500 502 504 =503 /maintenance.html;
        location = /maintenance.html {
            root .;
            internal;
            add_header Retry-After 5 always;
        }
";

const HAPROXY: &str = "\
defaults
    mode http
    timeout connect 200
    timeout client 50000
    timeout server 1000
listen gateway
    {extra}
    bind {at}
    server origin {origin}
";

const RETRIES: &str = "\
option http-buffer-request
    option redispatch
    retries 3
    retry-on all-retryable-errors
";

/// The answer shows the value of `Authorization` in its header, and as each converter of HAProxy encodes it.
const REFLECTS: &str = "\
http-request return status 403 content-type application/json hdr x-request-id %[req.hdr(authorization)] lf-string \
'{\"message\":\"%[req.hdr(authorization),json(utf8s)]\",\"percent\":\"%[req.hdr(authorization),url_enc]\",\
\"base64\":\"%[req.hdr(authorization),base64]\",\"base64url\":\"%[req.hdr(authorization),ub64enc]\"}'
";

/// Apache counts its timeouts in seconds.
const APACHE: &str = "\
ServerRoot {directory}
DefaultRuntimeDir {directory}
PidFile pid
ErrorLog /dev/stderr
ServerName localhost
User www-data
Group www-data
Listen {at}
ThreadsPerChild 64
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://{origin}/ connectiontimeout=1 timeout=1
";

const ENVOY: &str = "\
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: {at port}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: gateway
          route_config:
            virtual_hosts:
            - name: all
              domains: ['*']
              routes:
              - match: {prefix: /}
                route: {cluster: origin, timeout: 1s {extra}}
          http_filters:
          - name: router
            typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: origin
    connect_timeout: 0.2s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {origin port}}}}
";

/// Retries after a 503 among them.
const ISTIO: &str = "\
, retry_policy: {num_retries: 2, retriable_status_codes: [503], \
retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes'}";

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
            assert!(waits, "{} did not start ({ended:?}):\n{}", kind.name(), gateway.log());
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
