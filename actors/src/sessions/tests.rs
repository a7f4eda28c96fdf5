//! Sessions over a real store. Time is moved between steps, never while the store works.

use super::*;
use crate::keeper::testing::Root;
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::{Right, Rights, Role};
use iothome_store::testing::TestStore;
use iothome_store::{NewUser, Origin, StoredDevice, UserPatch};

struct House {
    store: TestStore,
    sessions: Sessions,
    clock: Clock,
    eve: User,
    changes: broadcast::Sender<Change>,
    root: ActorRef<()>,
}

impl House {
    async fn new() -> Self {
        let store = TestStore::sqlite().await;
        let clock = Clock::starting_at(Timestamp::from_millis(1_795_506_757_000));
        new_user(&store, &clock, "adam", Role::Admin).await;
        let eve = new_user(&store, &clock, "eve", Role::Member).await;
        let changes = broadcast::Sender::new(16);
        let root = Root::start().await;
        let started = Sessions::start(
            store.store.clone(),
            clock.clone(),
            changes.clone(),
            root.get_cell(),
        );
        Self {
            sessions: started.await.expect("started"),
            store,
            clock,
            eve,
            changes,
            root,
        }
    }

    async fn sign_in(&self) -> Opened {
        self.sessions
            .sign_in(&self.eve, SessionKind::Browser, "Firefox")
            .await
            .expect("signed in")
    }

    fn runs(&self, session: SessionId) -> bool {
        self.sessions.shared.running().contains_key(&session)
    }

    /// As if the hub had been restarted.
    async fn restart(&mut self) {
        self.root.kill();
        self.root = Root::start().await;
        let started = Sessions::start(
            self.store.store.clone(),
            self.clock.clone(),
            self.changes.clone(),
            self.root.get_cell(),
        );
        self.sessions = started.await.expect("started");
    }
}

async fn new_user(store: &Store, clock: &Clock, name: &str, role: Role) -> User {
    let user = NewUser {
        id: iothome_engine::ids::UserId::new(clock.now(), random::bytes()),
        name: name.into(),
        role,
        password_hash: "none".into(),
        created_at: clock.now(),
    };
    store.create_user(&user).await.expect("created");
    store.user(user.id).await.expect("read").expect("there")
}

async fn new_device(store: &Store, clock: &Clock, id: &str) -> DeviceId {
    let id: DeviceId = id.parse().expect("an id");
    let device = StoredDevice {
        id: id.clone(),
        name: id.to_string(),
        room: None,
        icon: None,
        position: None,
        about: Default::default(),
        origin: Origin::HandMade,
        identity: vec![],
        sender_verified: true,
        created_at: clock.now(),
        version: 1,
        entities: vec![],
    };
    store.create_device(&device, &[]).await.expect("created");
    id
}

/// Moves the time while nothing is under way.
async fn skip(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

fn ended<T: fmt::Debug>(result: &Result<T, SessionError>) -> bool {
    matches!(result, Err(SessionError::Ended))
}

#[tokio::test]
async fn a_signed_in_user_is_known_until_the_session_is_ended() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    assert_eq!(opened.subject.name, "eve");
    let entered = house.sessions.enter(opened.session).await;
    assert_eq!(entered.expect("entered"), opened.subject);
    house.sessions.end(opened.session).await.expect("ended");
    assert!(ended(&house.sessions.enter(opened.session).await));
    assert!(ended(&house.sessions.refresh(&opened.refresh).await));
    assert!(
        house
            .sessions
            .list(house.eve.id)
            .await
            .expect("read")
            .is_empty()
    );
}

#[tokio::test]
async fn a_session_that_never_was_leaves_no_actor_behind() {
    let house = House::new().await;
    let unknown = SessionId::new(house.clock.now(), [3; 10]);
    assert!(ended(&house.sessions.enter(unknown).await));
    assert!(ended(&house.sessions.refresh("nonsense").await));
    while house.runs(unknown) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_restarted_hub_knows_its_sessions_and_their_tokens() {
    let mut house = House::new().await;
    let opened = house.sign_in().await;
    house.restart().await;
    house.sessions.enter(opened.session).await.expect("entered");
    let renewed = house
        .sessions
        .refresh(&opened.refresh)
        .await
        .expect("renewed");
    house.restart().await;
    let again = house
        .sessions
        .refresh(&opened.refresh)
        .await
        .expect("within 30 s");
    assert_eq!(again.refresh, renewed.refresh);
    let next = house
        .sessions
        .refresh(&renewed.refresh)
        .await
        .expect("renewed");
    assert_ne!(next.refresh, renewed.refresh);
}

#[tokio::test]
async fn ten_refreshes_at_once_get_the_same_successor() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    let all = join_all((0..10).map(|_| house.sessions.refresh(&opened.refresh))).await;
    let tokens: Vec<String> = all
        .into_iter()
        .map(|renewed| renewed.expect("renewed").refresh)
        .collect();
    assert!(tokens.iter().all(|t| *t == tokens[0]));
    assert_ne!(tokens[0], opened.refresh);
    house.sessions.refresh(&tokens[0]).await.expect("it counts");
}

#[tokio::test]
async fn a_token_used_again_after_thirty_seconds_ends_the_session_and_its_streams() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    let renewed = house
        .sessions
        .refresh(&opened.refresh)
        .await
        .expect("renewed");
    let stream = house
        .sessions
        .open_stream(opened.session)
        .await
        .expect("opened");
    skip(31).await;
    assert!(ended(&house.sessions.refresh(&opened.refresh).await));
    stream.ended.cancelled().await;
    assert!(ended(&house.sessions.enter(opened.session).await));
    assert!(
        ended(&house.sessions.refresh(&renewed.refresh).await),
        "the whole family"
    );
}

#[tokio::test]
async fn a_made_up_token_does_not_end_the_session_it_names() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    let made_up = token::first(opened.session);
    assert!(ended(&house.sessions.refresh(&made_up).await));
    house
        .sessions
        .enter(opened.session)
        .await
        .expect("it lasts");
}

#[tokio::test]
async fn a_changed_grant_reaches_an_open_stream_at_once() {
    let house = House::new().await;
    let lamp = new_device(&house.store, &house.clock, "lamp").await;
    let opened = house.sign_in().await;
    let stream = house
        .sessions
        .open_stream(opened.session)
        .await
        .expect("opened");
    assert!(!stream.subject.load().may(Right::View, &lamp));
    let rights = Rights::of(&[Right::Control]);
    let set = house.store.set_grant(house.eve.id, &lamp, rights).await;
    set.expect("written");
    house.sessions.subject_changed(house.eve.id).await;
    assert!(stream.subject.load().may(Right::Control, &lamp));
    let entered = house.sessions.enter(opened.session).await.expect("entered");
    assert!(entered.may(Right::Control, &lamp));
    house
        .store
        .remove_grant(house.eve.id, &lamp)
        .await
        .expect("written");
    house.sessions.subject_changed(house.eve.id).await;
    assert!(!stream.subject.load().may(Right::View, &lamp));
    assert!(!stream.ended.is_cancelled());
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_others_are_not() {
    let house = House::new().await;
    let bob = new_user(&house.store, &house.clock, "bob", Role::Member).await;
    let opened = house.sign_in().await;
    let other = house
        .sessions
        .sign_in(&bob, SessionKind::Api, "curl")
        .await
        .expect("signed in");
    let stream = house
        .sessions
        .open_stream(opened.session)
        .await
        .expect("opened");
    let patch = UserPatch {
        disabled: Some(true),
        ..UserPatch::default()
    };
    house
        .store
        .update_user(house.eve.id, &patch, None)
        .await
        .expect("written");
    house.sessions.subject_changed(house.eve.id).await;
    assert!(stream.ended.is_cancelled());
    assert!(ended(&house.sessions.enter(opened.session).await));
    house
        .sessions
        .enter(other.session)
        .await
        .expect("bob stays");
}

#[tokio::test]
async fn rights_that_cannot_be_read_are_not_assumed() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    let stream = house
        .sessions
        .open_stream(opened.session)
        .await
        .expect("opened");
    house.store.close().await;
    house.sessions.subject_changed(house.eve.id).await;
    assert!(stream.ended.is_cancelled());
    let entered = house.sessions.enter(opened.session).await;
    assert!(
        matches!(entered, Err(SessionError::Store(_))),
        "{entered:?}"
    );
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_the_one_that_set_it() {
    let house = House::new().await;
    let (mine, other) = (house.sign_in().await, house.sign_in().await);
    let stream = house
        .sessions
        .open_stream(other.session)
        .await
        .expect("opened");
    let end = house.sessions.end_all_of(house.eve.id, Some(mine.session));
    end.await.expect("ended");
    stream.ended.cancelled().await;
    assert!(ended(&house.sessions.enter(other.session).await));
    house.sessions.enter(mine.session).await.expect("it lasts");
    let left = house.sessions.list(house.eve.id).await.expect("read");
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].id, left[0].client.as_str()),
        (mine.session, "Firefox")
    );
}

#[tokio::test]
async fn a_session_may_ask_fifty_commands_a_second() {
    let house = House::new().await;
    let session = house.sign_in().await.session;
    // The clock stands still, or the budget would fill up while it is used.
    tokio::time::pause();
    for _ in 0..50 {
        house
            .sessions
            .permit(session)
            .await
            .expect("within the rate");
    }
    let refused = house.sessions.permit(session).await;
    assert!(matches!(
        refused,
        Err(SessionError::Throttled { retry_after_s: 1 })
    ));
    tokio::time::advance(Duration::from_millis(100)).await;
    for _ in 0..5 {
        house.sessions.permit(session).await.expect("filled up");
    }
    assert!(house.sessions.permit(session).await.is_err());
}

#[tokio::test]
async fn a_session_may_have_twenty_commands_in_flight() {
    let house = House::new().await;
    let session = house.sign_in().await.session;
    let mut places = Vec::new();
    for _ in 0..20 {
        places.push(house.sessions.permit(session).await.expect("a place"));
    }
    assert!(house.sessions.permit(session).await.is_err());
    places.pop();
    house
        .sessions
        .permit(session)
        .await
        .expect("the freed place");
}

#[tokio::test]
async fn streams_are_bounded_and_a_closed_one_makes_room() {
    let house = House::new().await;
    let session = house.sign_in().await.session;
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(house.sessions.open_stream(session).await.expect("room"));
    }
    let refused = house.sessions.open_stream(session).await;
    assert!(matches!(refused, Err(SessionError::TooManyStreams)));
    streams.pop();
    house
        .sessions
        .open_stream(session)
        .await
        .expect("room again");
}

#[tokio::test]
async fn the_actor_goes_after_ten_quiet_minutes_unless_a_stream_is_open() {
    let house = House::new().await;
    let (quiet, watched) = (house.sign_in().await.session, house.sign_in().await.session);
    let stream = house.sessions.open_stream(watched).await.expect("opened");
    // In steps, as the actors look each minute.
    for _ in 0..12 {
        skip(60).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while house.runs(quiet) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(house.runs(watched));
    assert!(!stream.ended.is_cancelled());
    house.sessions.enter(quiet).await.expect("its row remains");
}

#[tokio::test]
async fn a_session_unused_for_fourteen_days_has_ended() {
    let mut house = House::new().await;
    let opened = house.sign_in().await;
    house.restart().await;
    skip(14 * 86_400 - 60).await;
    house
        .sessions
        .enter(opened.session)
        .await
        .expect("just in time");
    house.restart().await;
    skip(14 * 86_400 + 60).await;
    assert!(ended(&house.sessions.enter(opened.session).await));
    assert!(ended(&house.sessions.refresh(&opened.refresh).await));
}

#[tokio::test]
async fn a_session_ends_after_ninety_days_however_much_it_is_used() {
    let mut house = House::new().await;
    let opened = house.sign_in().await;
    for _ in 0..9 {
        house.restart().await;
        skip(10 * 86_400 - 60).await;
        house
            .sessions
            .enter(opened.session)
            .await
            .expect("it is used");
        wait_for_touch(&house, opened.session).await;
    }
    skip(600).await;
    assert!(ended(&house.sessions.enter(opened.session).await));
}

async fn wait_for_touch(house: &House, session: SessionId) {
    let is_written = async || {
        let row = house.store.session(session).await.expect("read");
        let used_at = row.expect("there").last_used_at;
        house.clock.now().millis_since(used_at) < 60_000
    };
    while !is_written().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_last_use_is_written_about_once_a_minute() {
    let house = House::new().await;
    let opened = house.sign_in().await;
    skip(61).await;
    house.sessions.enter(opened.session).await.expect("entered");
    wait_for_touch(&house, opened.session).await;
    let written = |house: &House| house.store.store.clone();
    let row = written(&house).session(opened.session).await;
    let first = row.expect("read").expect("there").last_used_at;
    skip(30).await;
    house.sessions.enter(opened.session).await.expect("entered");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let row = written(&house).session(opened.session).await;
    assert_eq!(row.expect("read").expect("there").last_used_at, first);
}

#[tokio::test]
async fn what_asks_many_commands_at_once_takes_the_place_of_as_many() {
    let house = House::new().await;
    let session = house.sign_in().await.session;
    tokio::time::pause();
    let many = house.sessions.permit_for(session, 50).await;
    many.expect("a whole burst");
    assert!(house.sessions.permit(session).await.is_err());
    tokio::time::advance(Duration::from_millis(500)).await;
    let many = house.sessions.permit_for(session, 30).await;
    assert!(matches!(many, Err(SessionError::Throttled { .. })));
    let fewer = house.sessions.permit_for(session, 20).await;
    fewer.expect("twenty have come back");
}
