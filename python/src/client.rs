//! The real client, with a Python function as its pipeline.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use client::app::connected_session;
use client::commands::Commands;
use client::config::{Config, Server, ServerAddress, Wait};
use client::listen::one_session;
use client::pipeline::{
    Answers, Frame, Pipeline, PipelineChoice, PipelineError, PipelineKind, PipelineMaker, PipelineOptions,
};
use client::session::End;
use client::verdict::{SessionError, failure};
use client::view::NoView;
use client::workers::{MAX_WORKERS, Policy};
use crossbeam_channel::{RecvTimeoutError, bounded};
use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use shared::admission::ServerId;
use shared::door::address::ListenAddress;
use shared::door::admission::Admission;
use shared::link::Kind;
use shared::protocol::message::Payload;
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::{Stopper, stop_pair};
use shared::shell::{tls_files, token_file};
use shared::tls::Tls;

use crate::answer::payload;
use crate::fault::Fault;
use crate::leaving;
use crate::options::in_python;
use crate::pixels;
use crate::waiting::{self, STEP};

/// A real client: it connects to a server, answers its frames with `pipeline`, and ends with the session.
///
/// `pipeline` is a function as for `plumb.evaluate`, or the name of a built-in pipeline: "hough", "annotate",
/// "exec:COMMAND". `server` is HOST:PORT; `None` looks for one on this machine and the local network. `workers` is
/// the number of threads that call the pipeline. `link` is "webrtc", "tcp" or "grpc". `wait` says how long to look for
/// the server. With `listen`, HOST:PORT, the client waits there for a server that calls (`plumb.Server(dial=...)`)
/// instead, and the server chooses the link. With `token_file` the client accepts only servers that hold the token in
/// this file, with `server_id` only the server with this fingerprint. With `tls_ca` it connects inside TLS. `strict`
/// raises the pipeline's exceptions; otherwise their frames count as dropped.
#[pyclass(frozen, module = "plumb")]
pub(crate) struct Client {
    pipeline: Chosen,
    server: Option<ServerAddress>,
    listen: Option<ListenAddress>,
    workers: NonZeroUsize,
    wait: Wait,
    link: Kind,
    strict: bool,
    admission: Admission,
    tls: Tls,
}

/// The pipeline that answers the frames.
enum Chosen {
    /// A Python function.
    Function(Py<PyAny>),
    /// A pipeline of the client program, such as `hough` or `exec:COMMAND`.
    Named(PipelineChoice),
}

/// What a client did: numbers of frames `received` and `dropped`, of `answers` by kind, of `pipeline_errors`, and
/// why the session ended (`end`).
#[pyclass(frozen, module = "plumb", get_all)]
pub(crate) struct Tally {
    /// Number of frames that arrived.
    received: u64,
    /// Number of frames answered as dropped.
    dropped: u64,
    /// Number of answers by kind.
    answers: BTreeMap<String, u64>,
    /// Number of frames with which the pipeline failed.
    pipeline_errors: u64,
    /// Why the session ended.
    end: String,
}

#[pymethods]
impl Client {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "Python's arguments have names")]
    #[pyo3(
        signature = (
            pipeline, server=Some("127.0.0.1:8080".into()), workers=1, *, listen=None, link="webrtc", wait="30s", strict=false,
            token_file=None, server_id=None, tls_ca=None
        ),
        text_signature = "(pipeline, server='127.0.0.1:8080', workers=1, *, listen=None, link='webrtc', wait='30s', \
                          strict=False, token_file=None, server_id=None, tls_ca=None)"
    )]
    fn new(
        pipeline: &Bound<'_, PyAny>,
        server: Option<String>,
        workers: i64,
        listen: Option<String>,
        link: &str,
        wait: &str,
        strict: bool,
        token_file: Option<PathBuf>,
        server_id: Option<String>,
        tls_ca: Option<PathBuf>,
    ) -> PyResult<Self> {
        let wrong = |text: String| PyValueError::new_err(in_python(&text));
        let server = server.map(|text| ServerAddress::from_str(&text)).transpose();
        let listen = listen.map(|text| ListenAddress::from_str(&text)).transpose();
        let most = format!("workers is not a whole number of threads from 1 to {MAX_WORKERS}");
        let server_id = server_id.map(|text| ServerId::from_str(&text)).transpose();
        let server_id = server_id.map_err(|error| wrong(format!("server_id: {error}")))?;
        let workers =
            usize::try_from(workers).ok().filter(|workers| *workers <= MAX_WORKERS).and_then(NonZeroUsize::new);
        Ok(Self {
            pipeline: chosen(pipeline)?,
            server: server.map_err(|error| wrong(format!("server: {error}")))?,
            listen: listen.map_err(|error| wrong(format!("listen: {error}")))?,
            workers: workers.ok_or_else(|| wrong(most))?,
            wait: Wait::from_str(wait).map_err(|error| wrong(format!("wait: {error}")))?,
            link: Kind::named(link)
                .ok_or_else(|| wrong(format!("link: \"{link}\" is not a link: webrtc, tcp or grpc")))?,
            strict,
            admission: token_file::admission_of_client(token_file.as_deref(), server_id)
                .map_err(|error| wrong(error.to_string()))?,
            tls: tls_files::tls(None, None, tls_ca.as_deref()).map_err(|error| wrong(error.to_string()))?,
        })
    }

    /// Connects, and answers frames until the session is over.
    ///
    /// Other Python threads go on meanwhile. Raises `ConnectionError` if there is no server or it is gone, and
    /// `KeyboardInterrupt` on Ctrl-C, after the server was told.
    fn run(&self, py: Python<'_>) -> PyResult<Tally> {
        let _inside = leaving::enter_from_python()?;
        let (stopper, stop) = stop_pair();
        let errors = Arc::new(Errors {
            strict: self.strict,
            stopper: stopper.clone(),
            count: AtomicU64::new(0),
            last: Mutex::default(),
        });
        let pipeline = match &self.pipeline {
            Chosen::Function(function) => {
                let maker = Maker { function: function.clone_ref(py).into(), errors: errors.clone() };
                PipelineChoice::made(Arc::new(maker), PipelineOptions::default())
            }
            Chosen::Named(choice) => choice.clone(),
        };
        let config = Config {
            server: Server::from(self.server.clone()),
            wait: self.wait,
            link: self.link,
            admission: self.admission.clone(),
            tls: self.tls.clone(),
            sctp_mtu: None,
            pull: false,
            pipeline,
            workers: self.workers,
            policy: Policy::Every,
        };
        let (done, ended) = bounded(1);
        let (listen, wait) = (self.listen.clone(), self.wait);
        let run = move || {
            let ran = runtime::start().map(|runtime| {
                let ran = runtime.block_on(async {
                    match listen {
                        Some(ListenAddress(at)) => one_session(at, wait, config, Box::new(NoView), stop).await,
                        None => connected_session(&config, &mut NoView, stop, Commands::none()).await,
                    }
                });
                // A look-up of a host name may hang for seconds.
                runtime.shutdown_background();
                ran
            });
            // After Ctrl-C nobody receives the result.
            let _ = done.send(ran);
        };
        thread::Builder::new().name("client".into()).spawn(run)?;
        let ran = waiting::until(py, || match ended.recv_timeout(STEP) {
            Ok(ran) => Some(Some(ran)),
            Err(RecvTimeoutError::Disconnected) => Some(None),
            Err(RecvTimeoutError::Timeout) => None,
        });
        if ran.is_err() {
            stopper.stop();
            // It says bye, which takes less than a second.
            let _ = py.detach(|| ended.recv());
        }
        let Some(ran) = ran? else { return Err(PyRuntimeError::new_err("the client's thread ended without a result")) };
        errors.raise()?;
        finished(ran?, errors.count.load(Ordering::Relaxed))
    }
}

#[pymethods]
impl Tally {
    fn __repr__(&self) -> String {
        let answers: Vec<_> = self.answers.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        format!(
            "Tally(received={}, answers: {}, dropped={}, pipeline_errors={}, end={:?})",
            self.received,
            answers.join(", "),
            self.dropped,
            self.pipeline_errors,
            self.end
        )
    }
}

fn chosen(pipeline: &Bound<'_, PyAny>) -> PyResult<Chosen> {
    if let Ok(name) = pipeline.cast::<PyString>() {
        let choice = PipelineChoice::new(name.to_str()?, PipelineOptions::default());
        return Ok(Chosen::Named(choice.map_err(|wrong| PyValueError::new_err(format!("pipeline: {wrong}")))?));
    }
    if !pipeline.is_callable() {
        let kind = pipeline.get_type().name()?;
        let right = "give a function that takes a frame, or the name of a built-in pipeline";
        return Err(PyTypeError::new_err(format!("pipeline is of type {kind}: {right}")));
    }
    Ok(Chosen::Function(pipeline.clone().unbind()))
}

fn finished(ran: Result<(End, client::tally::Tally), SessionError>, pipeline_errors: u64) -> PyResult<Tally> {
    let (end, tally) = ran.map_err(|wrong| match wrong.exit() {
        Exit::NoPeer => PyConnectionError::new_err(in_python(&wrong.to_string())),
        _ => PyRuntimeError::new_err(in_python(&wrong.to_string())),
    })?;
    match failure(&end, &tally) {
        Some((Exit::Usage, wrong)) => return Err(PyValueError::new_err(in_python(&wrong))),
        Some((_, wrong)) => return Err(PyConnectionError::new_err(in_python(&wrong))),
        None => {}
    }
    let end = match end {
        End::ServerLeft { reason } => reason,
        _ => "stopped".into(),
    };
    let answers = tally.counts().map(|(kind, count)| (kind.name.to_owned(), count)).collect();
    Ok(Tally { received: tally.received, dropped: tally.dropped, answers, pipeline_errors, end })
}

/// The errors of the pipeline in all workers.
#[derive(Debug)]
struct Errors {
    strict: bool,
    stopper: Stopper,
    count: AtomicU64,
    /// The error that ends the client.
    last: Mutex<Option<PyErr>>,
}

impl Errors {
    /// Counts a failure. The first one is shown. A failure that is not about its frame alone ends the client.
    fn add(&self, py: Python<'_>, frame: u64, fault: Fault) {
        if !fault.is_of_the_frame() || self.strict {
            self.keep(fault.into_error());
            self.stopper.stop();
        } else if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            fault.show(py, frame);
        }
    }

    /// Keeps the first error. The others are dropped after the lock is released, because that may run any finaliser.
    fn keep(&self, error: PyErr) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = if last.is_some() { Some(error) } else { last.replace(error) };
        drop(last);
        drop(spare);
    }

    /// Raises the error that ended the client, if one did.
    fn raise(&self) -> PyResult<()> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Makes the pipelines of a session.
#[derive(Debug)]
struct Maker {
    function: Arc<Py<PyAny>>,
    errors: Arc<Errors>,
}

impl PipelineMaker for Maker {
    fn make(&self, task: &'static str, answers: &'static dyn Answers) -> Result<Arc<dyn PipelineKind>, PipelineError> {
        let Self { function, errors } = self;
        Ok(Arc::new(Function { function: function.clone(), errors: errors.clone(), task, answers }))
    }
}

/// A Python function as a pipeline of one task.
#[derive(Clone, Debug)]
struct Function {
    function: Arc<Py<PyAny>>,
    errors: Arc<Errors>,
    task: &'static str,
    answers: &'static dyn Answers,
}

impl PipelineKind for Function {
    fn name(&self) -> &'static str {
        "python"
    }

    fn tasks(&self) -> &'static [&'static str] {
        &["circle", "count", "ack", "image"]
    }

    fn answers(&self) -> &'static dyn Answers {
        self.answers
    }

    fn build(&self, _: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        Ok(Box::new(self.clone()))
    }
}

impl Pipeline for Function {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        // At the end of the interpreter there is nothing to call.
        let Some(_inside) = leaving::enter() else { return Payload::dropped() };
        Python::try_attach(|py| {
            let returned = self.function.call1(py, (pixels::copy(py, frame.image),));
            let answered = returned
                .map_err(|error| Fault::raised(py, error))
                .and_then(|returned| payload(self.task, returned.bind(py)));
            answered.unwrap_or_else(|fault| {
                self.errors.add(py, frame.id, fault);
                Payload::dropped()
            })
        })
        .unwrap_or_else(Payload::dropped)
    }
}
