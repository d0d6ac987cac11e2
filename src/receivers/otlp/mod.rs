//! The OTLP receiver: gRPC and HTTP sockets in, complete inflated bodies out. Never looks inside them.
//!
//! Sockets are bound before anything is served, so a taken port stops the start. Connections are
//! accepted in one place and dealt to the workers; a connection, its requests and their inflating
//! stay on that worker. Every limit has a name, a default and a counter (`limits`).
//!
//! | file | purpose |
//! |---|---|
//! | `options` | what the user wrote |
//! | `limits` | every limit with its default |
//! | `connections` | accept, deal, watch |
//! | `grpc`, `http` | the protocols: requests in, answers out |
//! | `front` | what both do alike |
//! | `admission` | the shared budgets of bytes, requests, connections |
//! | `body` | chunks become a whole body or message under its permit |
//! | `compression` | gzip |
//! | `buffers` | memory of bodies, used again |
//! | `status` | `google.rpc.Status` in its forms |
//! | `error` | why a body could not be had; the reasons that are counted |
//! | `counters` | what is counted |

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::telemetry::counters::Registry;
use crate::telemetry::log::Logger;
use crate::workers::listen::{ListenError, listen};
use crate::workers::{Dealer, Signal};
use counters::{Counters, Transport};
use front::{Front, Said};
use grpc::GrpcServer;
use http::HttpServer;
use options::OtlpOptions;

mod admission;
mod body;
mod buffers;
mod compression;
mod connections;
mod counters;
mod error;
mod front;
mod grpc;
mod http;
mod limits;
pub mod options;
mod status;

pub use admission::{Admission, budget_bytes};
pub use limits::Limits;

/// Why a receiver cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("response header \"{name}\" is not a valid header")]
    ResponseHeader { name: String },
}

/// What a receiver needs besides its options.
#[derive(Clone)]
pub struct Wiring {
    /// As in the user's file, `otlp` or `otlp/name`.
    pub id: String,
    /// Of the receiver in the pipeline's table: `Request::receiver`.
    pub index: u16,
    /// Signals that a pipeline takes; others are refused.
    pub signals: Vec<Signal>,
    pub limits: Limits,
    /// Shared by all receivers of the program.
    pub admission: Admission,
    pub logger: Logger,
}

/// A receiver whose sockets listen and are not served yet.
pub struct OtlpReceiver {
    grpc: Option<(TcpListener, Arc<GrpcServer>)>,
    http: Option<(TcpListener, Arc<HttpServer>)>,
    service_shard: usize,
}

impl OtlpReceiver {
    /// Binds the sockets and registers the counters.
    ///
    /// # Errors
    /// An endpoint that cannot be listened on, or a response header that is none.
    pub fn bind(
        options: &OtlpOptions,
        wiring: &Wiring,
        registry: &Registry,
    ) -> Result<Self, BindError> {
        let front = |transport, bytes_max, limits| Front {
            id: wiring.id.clone(),
            index: wiring.index,
            signals: wiring.signals.clone(),
            bytes_max,
            limits,
            admission: wiring.admission.clone(),
            counters: Counters::new(registry, &wiring.id, transport),
            logger: wiring.logger.clone(),
            said: Said::default(),
        };
        let grpc = options.grpc.as_ref().map(|options| {
            let listener = listen(&options.endpoint)?;
            let mut limits = wiring.limits.clone();
            limits.streams_max = options.streams_max.unwrap_or(limits.streams_max);
            let server = GrpcServer {
                front: front(Transport::Grpc, options.message_bytes_max, limits),
                keepalive: options.keepalive.clone(),
            };
            Ok::<_, BindError>((listener, Arc::new(server)))
        });
        let http = options.http.as_ref().map(|options| {
            let listener = listen(&options.endpoint)?;
            let mut limits = wiring.limits.clone();
            limits.header_time_max = options
                .read_header_timeout
                .unwrap_or(limits.header_time_max);
            limits.body_time_max = options.read_timeout.unwrap_or(limits.body_time_max);
            limits.idle_time_max = options.idle_timeout.unwrap_or(limits.idle_time_max);
            let server = HttpServer {
                front: front(Transport::Http, options.body_bytes_max, limits),
                paths: [
                    (options.traces_url_path.clone(), Signal::Traces),
                    (options.metrics_url_path.clone(), Signal::Metrics),
                    (options.logs_url_path.clone(), Signal::Logs),
                ],
                response_headers: http::response_headers(&options.response_headers)?,
            };
            Ok::<_, BindError>((listener, Arc::new(server)))
        });
        Ok(Self {
            grpc: grpc.transpose()?,
            http: http.transpose()?,
            service_shard: registry.service_shard(),
        })
    }

    /// Where gRPC listens.
    #[must_use]
    pub fn grpc_address(&self) -> Option<SocketAddr> {
        let (listener, _) = self.grpc.as_ref()?;
        listener.local_addr().ok()
    }

    /// Where HTTP listens.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        let (listener, _) = self.http.as_ref()?;
        listener.local_addr().ok()
    }

    /// Accepts connections and deals them to the workers until they drain; then the sockets close.
    ///
    /// # Errors
    /// A socket cannot be watched by the runtime this runs on.
    pub async fn serve(self, dealer: Dealer) -> std::io::Result<()> {
        let Self {
            grpc,
            http,
            service_shard,
        } = self;
        let grpc = async {
            match grpc {
                Some((listener, server)) => {
                    let (serve, dealer) = (grpc::serve, dealer.clone());
                    connections::accept(server, listener, serve, service_shard, dealer).await
                }
                None => Ok(()),
            }
        };
        let http = async {
            match http {
                Some((listener, server)) => {
                    let (serve, dealer) = (http::serve, dealer.clone());
                    connections::accept(server, listener, serve, service_shard, dealer).await
                }
                None => Ok(()),
            }
        };
        tokio::try_join!(grpc, http).map(drop)
    }
}
