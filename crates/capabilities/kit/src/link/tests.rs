//! A server that comes and goes, as values.

use super::*;
use std::collections::VecDeque;
use std::future::ready;

/// Answers one attempt after the other; when there is no answer left, the server is there.
struct Script {
    answers: Mutex<VecDeque<Result<u32, &'static str>>>,
    lost: Mutex<Vec<Lost<Script>>>,
}

impl Dial for Script {
    type Connection = u32;

    fn capability(&self) -> &'static str {
        "test"
    }

    fn place(&self) -> &str {
        "nowhere"
    }

    async fn connect(&self, lost: Lost<Self>) -> Result<u32, NoConnection> {
        self.lost.lock().unwrap().push(lost);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(0));
        answer.map_err(|why| match why {
            "panic" => panic!("a library fails"),
            why => NoConnection { kind: Kind::Unavailable, why, source: Some("refused".into()) },
        })
    }
}

impl From<NoConnection> for String {
    fn from(error: NoConnection) -> Self {
        error.why.to_owned()
    }
}

fn links(answers: &[Result<u32, &'static str>]) -> Links<Script> {
    Links::new(Script { answers: Mutex::new(answers.iter().copied().collect()), lost: Mutex::default() })
}

async fn call(link: &Arc<Link<Script>>) -> Result<u32, String> {
    link.call(|connection| ready(Ok(connection))).await
}

#[tokio::test(start_paused = true)]
async fn calls_share_a_connection_until_one_of_them_finds_it_lost() {
    let link = links(&[Ok(1), Ok(2)]).here();
    assert_eq!(tokio::join!(call(&link), call(&link)), (Ok(1), Ok(1)));
    let failed: Result<u32, String> = link.call(|_| ready(Err(Trouble::from("its own".to_owned())))).await;
    assert_eq!(failed, Err("its own".to_owned()));
    assert_eq!(call(&link).await, Ok(1), "an error of the call is none of the connection");
    let lost: Result<u32, String> =
        link.call(|_| ready(Err(Trouble { error: "broken".to_owned(), is_lost: true }))).await;
    assert_eq!(lost, Err("broken".to_owned()));
    assert_eq!(call(&link).await, Ok(2), "the next call waits for the new one");
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_a_second_time_where_the_first_found_its_connection_lost() {
    let link = links(&[Ok(1), Ok(2), Ok(3)]).here();
    let broken = |is_lost| Trouble { error: "broken".to_owned(), is_lost };
    let call = |connection| ready(if connection == 1 { Err(broken(true)) } else { Ok(connection) });
    assert_eq!(link.call_again(call).await, Ok(2));
    let call = |_| ready(Err::<u32, _>(broken(false)));
    assert_eq!(link.call_again(call).await, Err("broken".to_owned()), "an error of the question is told");
    let call = |_| ready(Err::<u32, _>(broken(true)));
    assert_eq!(link.call_again(call).await, Err("broken".to_owned()), "twice is enough");
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_away_calls_fail_at_once_until_it_is_back() {
    let link = links(&[Err("away"), Err("still away"), Err("panic"), Ok(7)]).here();
    assert_eq!(call(&link).await, Err("away".to_owned()));
    let before = tokio::time::Instant::now();
    assert_eq!(call(&link).await, Err("away".to_owned()));
    assert_eq!(before.elapsed(), Duration::ZERO, "nobody waits");
    while call(&link).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(call(&link).await, Ok(7));
    assert!(before.elapsed() < BACK_OFF_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_late_word_about_a_former_connection_does_no_harm() {
    let links = links(&[Ok(1), Ok(2), Ok(3)]);
    let link = links.here();
    assert_eq!(call(&link).await, Ok(1));
    let tell = |number: usize| links.dial().lost.lock().unwrap()[number].tell();
    tell(0);
    assert_eq!(call(&link).await, Ok(2));
    tell(0);
    assert_eq!(call(&link).await, Ok(2));
    tell(1);
    assert_eq!(call(&link).await, Ok(3));
}
