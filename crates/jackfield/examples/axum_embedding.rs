//! A web server with a session for each request, which changes while it serves.
//!
//! * `GET /`: what all visitors share, from a session that stays open.
//! * `GET /greet/{name}`: opens a session of its own, uses its services, and closes it.
//! * `POST /plan`: what these settings would change, and the generation that this is true for.
//! * `PUT /settings`: changes it, if the generation in `If-Match` is still the present one.

use std::{future::IntoFuture, net::SocketAddr};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::IF_MATCH},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use jackfield::{ChangeError, ResolveError, prelude::*};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

trait Greeter: Send + Sync {
    fn greet(&self, name: &str) -> String;
}
const GREETER: Slot<dyn Greeter> = Slot::new("web.greeter");

#[derive(Default, Deserialize, JsonSchema, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct GreetingConfig {
    word: Option<String>,
}
struct Greeting(Live<GreetingConfig>);
impl Greeter for Greeting {
    fn greet(&self, name: &str) -> String {
        let config = self.0.load();
        format!("{}, {name}", config.word.as_deref().unwrap_or("Hello"))
    }
}
struct Greetings;
impl Plugin for Greetings {
    fn manifest(&self) -> Manifest {
        Manifest::new("greetings")
    }
    fn register(&self, services: &mut Registrar<'_>) {
        services.provide(GREETER).configured(|config| Arc::new(Greeting(config)));
    }
}

/// What a handler fails with: a status, and a text that says what to do.
struct Failed(StatusCode, String);
impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
impl From<ChangeError> for Failed {
    fn from(error: ChangeError) -> Self {
        let status = match error {
            ChangeError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ChangeError::Stale { .. } => StatusCode::PRECONDITION_FAILED,
            ChangeError::Closed => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

/// What handlers share.
#[derive(Clone)]
struct Site {
    runtime: PluginRuntime,
    front: Arc<Session>,
}

async fn front(State(site): State<Site>) -> Result<String, Failed> {
    // Looked up at each request: who has the slot may have changed since the last one.
    let greeter = site.front.resolve(GREETER).map_err(missing)?;
    Ok(greeter.greet("everybody"))
}

async fn greet(State(site): State<Site>, Path(name): Path<String>) -> Result<String, Failed> {
    // If the client goes away, this future is dropped where it stands, and the session closes all the same.
    let session = site.runtime.create_session(name.as_str()).await?;
    let text = session.resolve(GREETER).map(|greeter| greeter.greet(&name));
    session.close().await?;
    text.map_err(missing)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn missing(error: ResolveError) -> Failed {
    Failed(StatusCode::NOT_FOUND, error.to_string())
}

async fn plan(State(Site { runtime, .. }): State<Site>, body: String) -> Result<String, Failed> {
    let settings = RuntimeSettings::from_json(&body).map_err(ChangeError::Refused)?;
    let plan = runtime.plan(&settings).map_err(ChangeError::Refused)?;
    Ok(format!("{plan}\nif-match: {}", plan.generation))
}

async fn change(
    State(Site { runtime, .. }): State<Site>,
    headers: HeaderMap,
    body: String,
) -> Result<String, Failed> {
    let settings = RuntimeSettings::from_json(&body).map_err(ChangeError::Refused)?;
    let wanted = headers.get(IF_MATCH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(planned) = wanted else {
        let text = "say in `If-Match` which generation the plan was made for".to_owned();
        return Err(Failed(StatusCode::PRECONDITION_REQUIRED, text));
    };
    let plan = runtime.plan(&settings).map_err(ChangeError::Refused)?;
    if plan.generation != planned {
        return Err(ChangeError::Stale { planned, now: plan.generation }.into());
    }
    // Should the world move between these two lines, the runtime itself refuses the plan.
    Ok(runtime.apply(plan).await?.to_string())
}

/// What a browser would do.
async fn visit(server: SocketAddr) -> std::io::Result<()> {
    println!("{}", ask(server, "GET /greet/Ada", "", "").await?); //> 200 Hello, Ada

    let next = r#"{ "services": { "greetings:web.greeter": { "config": { "word": "Ahoy" } } } }"#;
    println!("{}", ask(server, "POST /plan", "", next).await?);
    //> 200 ~ greetings   (settings)   web.greeter word: default → "Ahoy"
    //> if-match: 4
    println!("{}", ask(server, "PUT /settings", "if-match: 4", next).await?);
    //> 200 ~ greetings   (settings)   web.greeter word: default → "Ahoy"
    println!("{}", ask(server, "GET /greet/Ada", "", "").await?); //> 200 Ahoy, Ada
    println!("{}", ask(server, "GET /", "", "").await?); //> 200 Ahoy, everybody

    // The world has moved, so the same again is refused.
    println!("{}", ask(server, "PUT /settings", "if-match: 4", next).await?);
    //> 412 the plan was made for generation 4, and the runtime is at 7; plan again

    // What is wrong is said all at once, and nothing happens.
    let wrong = r#"{ "plugins": { "greeting": {} }, "services": { "greetings:web.greeter": { "config": { "word": 7 } } } }"#;
    println!("{}", ask(server, "POST /plan", "", wrong).await?);
    //> 422 the settings were refused:
    //> plugins.greeting: there is no plugin `greeting`; did you mean `greetings`?
    //> services."greetings:web.greeter".config.word: invalid type: integer `7`, expected a string

    let off = r#"{ "plugins": { "greetings": { "enabled": false } } }"#;
    println!("{}", ask(server, "PUT /settings", "if-match: 7", off).await?);
    //> 200 - greetings   (settings)   web.greeter: greetings → nobody
    println!("{}", ask(server, "GET /greet/Ada", "", "").await?);
    //> 404 no plugin that takes part offers `web.greeter`
    Ok(())
}

/// One request over one connection: the status and the body of the answer.
async fn ask(server: SocketAddr, what: &str, header: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{header}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split_whitespace().nth(1).unwrap_or("no status");
    Ok(format!("{status} {body}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let runtime = PluginRuntime::builder().plugin(Greetings).init().await?;
    let front_session = Arc::new(runtime.create_session("front").await?);
    let app = Router::new()
        .route("/", get(front))
        .route("/greet/{name}", get(greet))
        .route("/plan", post(plan))
        .route("/settings", put(change))
        .with_state(Site { runtime: runtime.clone(), front: Arc::clone(&front_session) });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });

    let visit = async {
        visit(address).await?;
        drop(stop);
        Ok(())
    };
    tokio::try_join!(server.into_future(), visit)?;

    // The last requests are answered, and their sessions closed.
    println!("{:?}", runtime.sessions().iter().map(|scope| scope.name().to_string()).collect::<Vec<_>>());
    //> ["session `front`"]
    runtime.shutdown().await?;
    Ok(())
}
