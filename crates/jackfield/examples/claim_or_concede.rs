//! A question goes from one plugin to the next until one of them knows the answer.

use jackfield::{Request, RequestError, prelude::*};

struct Question(String);
impl Request for Question {
    type Response = String;
}

/// Knows sums of two numbers.
struct Sums;
impl Plugin for Sums {
    fn manifest(&self) -> Manifest {
        Manifest::new("sums")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let knows = cx.handler().priority(Priority::ELEVATED);
        knows.on_request(|question: &mut Envelope<Question>| -> Result<Option<String>, BoxError> {
            let Some((left, right)) = question.0.split_once('+') else { return Ok(None) }; // concedes
            let sum = left.trim().parse::<i64>()? + right.trim().parse::<i64>()?; // may fail
            Ok(Some(sum.to_string())) // claims
        });
        Ok(())
    }
}

/// Looks words up. The lookup takes time, so the handler awaits.
struct Glossary;
impl Plugin for Glossary {
    fn manifest(&self) -> Manifest {
        Manifest::new("glossary")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        cx.on_request_async(|question: &mut Envelope<Question>| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                question.0 = question.0.to_lowercase(); // whoever is asked next sees it in lower case
                (question.0 == "jackfield").then(|| "a panel of sockets, for patching".to_owned())
            })
        });
        Ok(())
    }
}

/// Has something to say when nobody else has.
struct Shrug;
impl Plugin for Shrug {
    fn manifest(&self) -> Manifest {
        Manifest::new("shrug")
    }
    async fn attach(&self, cx: &SessionContext) -> PluginResult {
        let last = cx.handler().priority(Priority::LOWEST);
        last.on_request(|question: &mut Envelope<Question>| Some(format!("{}?", question.0)));
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let runtime = PluginRuntime::builder().plugin(Shrug).plugin(Glossary).plugin(Sums).init().await?;
    let session = runtime.create_session("quiz").await?;
    let ask = async |text: &str| session.bus().request(Question(text.to_owned())).await;

    println!("{}", ask("2 + 3").await?); //> 5
    println!("{}", ask("Jackfield").await?); //> a panel of sockets, for patching
    println!("{}", ask("Weather").await?); //> weather?

    // A handler that fails ends the request; the error says whose it is.
    if let Err(error) = ask("one + one").await {
        println!("{}", error.to_string().contains("sums")); //> true
    }

    // Without the last resort, nobody claims it. That is an error of its own...
    runtime.update_settings(runtime.settings().with(|settings| settings.disable("shrug"))).await?;
    match ask("Weather").await {
        Err(RequestError::AllConceded { .. }) => println!("nobody knows"), //> nobody knows
        other => println!("{other:?}"),
    }
    // ... unless whoever asks can do without an answer.
    let answer = session.bus().request_optional(Question("Weather".to_owned())).await?;
    println!("{answer:?}"); //> None

    runtime.shutdown().await?;
    Ok(())
}
