//! What is made durable together.

use super::*;

type Waiting = oneshot::Receiver<Result<Answer, Error>>;

fn order(bytes: usize) -> (Order, Waiting) {
    let (reply, answer) = oneshot::channel();
    let pairs = vec![(Key::new("a").unwrap(), Bytes::from(vec![7; bytes]))];
    (Order { change: Change::Set(pairs), reply }, answer)
}

/// Returns how many of the orders are in each group.
fn groups(orders: Vec<Order>) -> Vec<usize> {
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    orders.into_iter().for_each(|order| queue.try_send(order).ok().unwrap());
    std::iter::from_fn(|| Some(gather(waiting.try_recv().ok()?, &mut waiting).len())).collect()
}

#[test]
fn changes_that_wait_are_made_durable_together() {
    let (orders, _callers): (Vec<Order>, Vec<Waiting>) = (0..QUEUE).map(|_| order(100)).unzip();
    assert_eq!(groups(orders), [QUEUE]);
}

#[test]
fn large_changes_are_made_durable_in_parts() {
    let (orders, _callers): (Vec<Order>, Vec<Waiting>) = (0..20).map(|_| order(GROUP_BYTES / 8)).unzip();
    assert_eq!(groups(orders), [8, 8, 4]);
}

#[test]
fn a_change_that_nobody_waits_for_is_not_made() {
    let (orders, mut callers): (Vec<Order>, Vec<Waiting>) = (0..10).map(|_| order(100)).unzip();
    callers.truncate(3);
    assert_eq!(groups(orders), [3]);
}
