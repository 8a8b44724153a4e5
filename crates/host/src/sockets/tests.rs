//! Which addresses and names fit which grants.

use super::*;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use wharf_http::Lookup;

/// Leads names where a test wants; a name's answers are given in turn, the last one stays.
#[derive(Default)]
struct Names {
    answers: Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Resolver for Names {
    fn look_up(&self, name: &str) -> Lookup {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let found = answers.get_mut(name).map(|turns| match turns.len() {
            1 => turns[0].clone(),
            _ => turns.pop_front().unwrap_or_default(),
        });
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

fn names(all: &[(&str, &[&[&str]])]) -> Arc<Names> {
    let ips = |turn: &&[&str]| turn.iter().map(|ip| ip.parse().unwrap()).collect();
    let answers = all.iter().map(|(name, turns)| ((*name).to_owned(), turns.iter().map(ips).collect()));
    Arc::new(Names { answers: Mutex::new(answers.collect()), asked: AtomicUsize::new(0) })
}

fn sockets(granted: &[&str], names: &Arc<Names>) -> Sockets {
    let who = Who { app: "shop".into(), component: "front".into() };
    let granted = granted.iter().map(|text| NetPattern::parse(text).unwrap()).collect();
    Sockets::new(who, granted, Arc::<Names>::clone(names), Arc::default())
}

fn reach(granted: &[&str], names: &Arc<Names>) -> Arc<Reach> {
    Reach::new(Arc::new(sockets(granted, names)))
}

fn connects(reach: &Reach, address: &str) -> bool {
    let address = address.parse().unwrap();
    let tcp = reach.allows(address, SocketAddrUse::TcpConnect);
    assert_eq!(tcp, reach.allows(address, SocketAddrUse::UdpSend));
    assert_eq!(tcp, reach.allows(address, SocketAddrUse::UdpReceive));
    tcp
}

async fn look_up(reach: &Arc<Reach>, name: &str) -> Result<String, LookupError> {
    let found = reach.look_up(name)?.await?;
    Ok(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

const PUBLIC: &str = "93.184.216.34";

#[test]
fn nothing_is_reached_without_a_grant() {
    let reach = reach(&[], &Arc::default());
    assert!(!connects(&reach, "93.184.216.34:443"));
    assert!(!Sockets::none(reach.sockets.who.clone()).has_any());
}

#[test]
fn everything_means_the_public_internet() {
    let reach = reach(&["*"], &Arc::default());
    for public in ["93.184.216.34:443", "[2606:4700::1]:53"] {
        assert!(connects(&reach, public), "{public}");
    }
    for inside in [
        "127.0.0.1:80",
        "10.1.2.3:80",
        "169.254.169.254:80",
        "192.168.0.1:80",
        "100.64.0.1:80",
        "0.0.0.0:80",
        "224.0.0.1:80",
        "[::1]:80",
        "[fe80::1]:80",
        "[fd00::1]:80",
        "[::ffff:10.0.0.1]:80",
        "[2002:a00:1::]:80",
        "[64:ff9b::a00:1]:80",
    ] {
        assert!(!connects(&reach, inside), "{inside}");
    }
}

#[test]
fn an_address_inside_is_reached_when_it_is_named() {
    let reach = reach(&["127.0.0.1:8080", "10.0.0.0/8:5432-5433"], &Arc::default());
    for (address, expected) in [
        ("127.0.0.1:8080", true),
        ("[::ffff:127.0.0.1]:8080", true),
        ("127.0.0.1:8081", false),
        ("127.0.0.2:8080", false),
        ("10.9.9.9:5433", true),
        ("10.9.9.9:5434", false),
    ] {
        assert_eq!(connects(&reach, address), expected, "{address}");
    }
}

#[tokio::test]
async fn a_name_is_reached_after_it_was_looked_up_and_on_its_ports() {
    let names = names(&[("db.example", &[&[PUBLIC, "2606:4700::1"]]), ("other.example", &[&["1.1.1.1"]])]);
    let reach = reach(&["db.example:5432"], &names);
    assert!(!connects(&reach, "93.184.216.34:5432"), "nobody looked it up");
    assert_eq!(look_up(&reach, "DB.example.").await.as_deref(), Ok("93.184.216.34 2606:4700::1"));
    assert!(connects(&reach, "93.184.216.34:5432") && connects(&reach, "[2606:4700::1]:5432"));
    assert!(!connects(&reach, "93.184.216.34:5433") && !connects(&reach, "1.1.1.1:5432"));
    assert_eq!(look_up(&reach, "other.example").await, Err(LookupError::Denied));
    assert_eq!(names.asked.load(Ordering::SeqCst), 1, "what is not granted is asked of nobody");
}

#[tokio::test]
async fn what_one_store_looked_up_is_no_grant_of_another() {
    let sockets = Arc::new(sockets(&["db.example:5432"], &names(&[("db.example", &[&[PUBLIC]])])));
    let (first, second) = (Reach::new(Arc::clone(&sockets)), Reach::new(sockets));
    assert!(look_up(&first, "db.example").await.is_ok());
    assert!(connects(&first, "93.184.216.34:5432") && !connects(&second, "93.184.216.34:5432"));
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gets_no_further() {
    let names = names(&[("db.example", &[&[PUBLIC], &["10.0.0.1"]])]);
    for grants in [&["db.example:*"][..], &["*"], &["*.example:*"]] {
        names
            .answers
            .lock()
            .unwrap()
            .insert("db.example".into(), [vec![PUBLIC.parse().unwrap()], vec![[10, 0, 0, 1].into()]].into());
        let reach = reach(grants, &names);
        assert_eq!(look_up(&reach, "db.example").await.as_deref(), Ok(PUBLIC));
        assert_eq!(look_up(&reach, "db.example").await, Err(LookupError::Denied));
        assert!(!connects(&reach, "10.0.0.1:80") && connects(&reach, "93.184.216.34:80"));
        assert_eq!(reach.counts().denied, 3, "the look-up, and a connection and a datagram to what it led to");
    }
}

#[tokio::test]
async fn of_several_addresses_a_guest_gets_those_that_it_may_reach() {
    let names = names(&[("db.example", &[&["10.0.0.1", PUBLIC, "::ffff:192.168.0.1", "127.0.0.1"]])]);
    let reach = reach(&["db.example:80", "10.0.0.0/8:81"], &names);
    assert_eq!(look_up(&reach, "db.example").await.as_deref(), Ok("10.0.0.1 93.184.216.34"));
    assert!(connects(&reach, "10.0.0.1:81") && !connects(&reach, "10.0.0.1:80"));
}

#[tokio::test]
async fn localhost_is_the_machine_itself_when_it_is_named() {
    let names = names(&[("localhost", &[&["127.0.0.1", "::1", "10.0.0.1"]])]);
    let named = reach(&["localhost:80", "*:81"], &names);
    assert_eq!(look_up(&named, "localhost").await.as_deref(), Ok("127.0.0.1 ::1"));
    assert!(connects(&named, "127.0.0.1:80") && connects(&named, "[::1]:80"));
    assert!(!connects(&named, "127.0.0.1:81") && !connects(&named, "10.0.0.1:80"));
    assert_eq!(look_up(&reach(&["*"], &names), "localhost").await, Err(LookupError::Denied));
}

#[tokio::test]
async fn addresses_are_their_own_answers_and_no_names() {
    let names = Arc::default();
    let reach = reach(&["*"], &names);
    for (name, expected) in [
        ("10.0.0.1", Ok("10.0.0.1")),
        ("[::1]", Ok("::1")),
        ("::ffff:10.0.0.1", Ok("10.0.0.1")),
        ("127.1", Err(LookupError::Invalid)),
        ("2130706433", Err(LookupError::Invalid)),
        ("*", Err(LookupError::Invalid)),
        ("*.example", Err(LookupError::Invalid)),
        ("10.0.0.0/8", Err(LookupError::Invalid)),
        ("", Err(LookupError::Invalid)),
        (".", Err(LookupError::Invalid)),
        ("a..b", Err(LookupError::Invalid)),
        ("a b", Err(LookupError::Invalid)),
        ("a\nb", Err(LookupError::Invalid)),
        ("ä.example", Err(LookupError::Invalid)),
        ("nobody.example", Err(LookupError::NotFound)),
        ("backend.wharf.internal", Err(LookupError::Denied)),
        ("BACKEND.wharf.internal.", Err(LookupError::Denied)),
    ] {
        assert_eq!(look_up(&reach, name).await, expected.map(str::to_owned), "{name:?}");
    }
    assert!(!connects(&reach, "10.0.0.1:80"), "an answer is no grant");
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_spelling_that_only_the_resolver_takes_for_an_address_gets_no_further() {
    let reach = reach(&["*"], &names(&[("0x7f.1", &[&["127.0.0.1"]])]));
    assert_eq!(look_up(&reach, "0x7f.1").await, Err(LookupError::Denied));
}

#[tokio::test]
async fn the_memory_of_a_store_is_bounded() {
    let all: Vec<IpAddr> = (0..5000_u32).map(|i| IpAddr::V4((0x5db8_0000 + i).into())).collect();
    let names = names(&[]);
    let reach = reach(&["db.example:80"], &names);
    for turn in all.chunks(200) {
        names.answers.lock().unwrap().insert("db.example".into(), [turn.to_vec()].into());
        assert_eq!(reach.look_up("db.example").unwrap().await.unwrap().len(), ADDRESSES);
    }
    assert_eq!(reach.learned().len(), LEARNED);
    for i in 0..10 * REMEMBERED {
        assert_eq!(look_up(&reach, &format!("h{i}.example")).await, Err(LookupError::Denied));
    }
    assert_eq!(reach.sockets.refused.lock().unwrap().len(), REMEMBERED);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_says_nothing_is_not_waited_for() {
    struct Silent;
    impl Resolver for Silent {
        fn look_up(&self, _: &str) -> Lookup {
            Box::pin(std::future::pending())
        }
    }
    let who = Who { app: "shop".into(), component: "front".into() };
    let granted = vec![NetPattern::parse("*").unwrap()];
    let reach = Reach::new(Arc::new(Sockets::new(who, granted, Arc::new(Silent), Arc::default())));
    assert_eq!(look_up(&reach, "db.example").await, Err(LookupError::Late));
}

#[test]
fn nobody_listens_unless_a_person_said_so() {
    let names = Arc::default();
    let all = [SocketAddrUse::TcpBind, SocketAddrUse::UdpBind, SocketAddrUse::TcpListen, SocketAddrUse::TcpAccept];
    let allowed = |reach: &Reach, address: &str| all.map(|purpose| reach.allows(address.parse().unwrap(), purpose));
    let grants = reach(&["*", "127.0.0.1:*", "0.0.0.0:8080"], &names);
    assert_eq!(allowed(&grants, "127.0.0.1:8080"), [false; 4]);
    assert_eq!(allowed(&grants, "0.0.0.0:8080"), [false; 4]);
    assert_eq!(allowed(&grants, "0.0.0.0:0"), [true, true, false, false], "the local end of a connection");
    let listening = vec![NetPattern::parse("127.0.0.1:8080").unwrap()];
    let listener = Reach::new(Arc::new(sockets(&[], &names).listening(listening)));
    assert_eq!(allowed(&listener, "127.0.0.1:8080"), [true; 4]);
    assert_eq!(allowed(&listener, "127.0.0.1:8081"), [false, false, false, true]);
    assert_eq!(allowed(&listener, "0.0.0.0:8080"), [false, false, false, true]);
    assert!(!listener.allows("127.0.0.1:8080".parse().unwrap(), SocketAddrUse::TcpConnect));
    assert!(listener.allows("10.0.0.1:5000".parse().unwrap(), SocketAddrUse::UdpReceive));
}
