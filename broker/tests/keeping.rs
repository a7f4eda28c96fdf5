//! What the broker keeps, bounds and survives.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use common::{Guest, House, credential, two_devices};
use iothome_broker::{BrokerConfig, BrokerError, start};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use std::sync::Arc;

#[tokio::test]
async fn a_restart_keeps_what_is_retained() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut lamp = house.guest(&broker, "lamp").await;
    lamp.publish("iothome/lamp/light/state", "ON", true).await;
    lamp.publish("iothome/lamp/passing", "x", false).await;
    drop(lamp);
    broker.stop().await;

    let broker = house.open().await;
    let mut hub = house.guest(&broker, "hub").await;
    hub.subscribe("iothome/#").await;
    let (topic, payload, retained) = hub.message().await;
    assert_eq!(
        (topic.as_str(), payload.as_str()),
        ("iothome/lamp/light/state", "ON")
    );
    assert!(retained);
    broker.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_by_a_stop() {
    use tokio::io::AsyncReadExt;
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut silent = tokio::net::TcpStream::connect(broker.address())
        .await
        .unwrap();
    // Whoever comes after it shows that it was accepted.
    drop(house.guest(&broker, "lamp").await);
    broker.stop().await;
    // Its socket is closed already: there is nothing to wait for.
    tokio::task::yield_now().await;
    let mut bytes = [0; 8];
    let read = silent.read(&mut bytes);
    let read = tokio::time::timeout(std::time::Duration::from_secs(5), read).await;
    assert!(
        matches!(read, Ok(Ok(0) | Err(_))),
        "it is open after the stop: {read:?}"
    );
}

#[tokio::test]
async fn a_restart_keeps_sessions_and_what_waits_for_them() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let lasting = |at| {
        let mut options = house.options(at, "lamp", "lamp-client");
        options
            .set_clean_start(false)
            .set_session_expiry_interval(Some(600));
        options
    };
    let mut lamp = Guest::enter(lasting(broker.address())).await.unwrap();
    lamp.subscribe("iothome/lamp/+/set").await;
    drop(lamp);
    common::eventually("the lamp's leave", || broker.clients().is_empty()).await;
    let mut hub = house.guest(&broker, "hub").await;
    hub.publish("iothome/lamp/light/set", "ON", false).await;
    drop(hub);
    broker.stop().await;

    let broker = house.open().await;
    let mut lamp = Guest::enter(lasting(broker.address())).await.unwrap();
    let (topic, payload, _) = lamp.message().await;
    assert_eq!(
        (topic.as_str(), payload.as_str()),
        ("iothome/lamp/light/set", "ON")
    );
    let mut hub = house.guest(&broker, "hub").await;
    hub.publish("iothome/lamp/light/set", "OFF", false).await;
    assert_eq!(lamp.message().await.1, "OFF");
    broker.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_said_with_its_address() {
    let house = House::new(Vec::new());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let config = BrokerConfig {
        listen: addr,
        ..house.config()
    };
    match start(config, Arc::clone(&house.access)).await {
        Err(BrokerError::PortInUse { addr: said }) => assert_eq!(said, addr),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started on a port in use"),
    }
}

#[tokio::test]
async fn a_stopped_broker_frees_its_port() {
    let house = House::new(Vec::new());
    let broker = house.open().await;
    let config = BrokerConfig {
        listen: broker.address(),
        ..house.config()
    };
    broker.stop().await;
    start(config, Arc::clone(&house.access))
        .await
        .unwrap()
        .stop()
        .await;
}

#[tokio::test]
async fn a_packet_too_large_ends_its_own_connection_only() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut lamp = house.guest(&broker, "lamp").await;
    let fridge_options = house.options(broker.address(), "fridge", "f");
    let mut fridge = Guest::enter(fridge_options).await.unwrap();
    let huge = "x".repeat(1_000_000);
    let topic = "iothome/lamp/light/state";
    let qos = rumqttc::v5::mqttbytes::QoS::AtLeastOnce;
    lamp.client.publish(topic, qos, false, huge).await.unwrap();
    lamp.until_closed().await;
    assert_eq!(
        fridge.publish("iothome/fridge/x", "", false).await,
        PubAckReason::Success
    );
    broker.stop().await;
}

#[tokio::test]
async fn a_client_of_mqtt_three_is_as_welcome() {
    use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS, TlsConfiguration, Transport};
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut hub = house.guest(&broker, "hub").await;
    hub.subscribe("iothome/#").await;

    let mut options = MqttOptions::new("old", "127.0.0.1", broker.address().port());
    let tls = TlsConfiguration::Rustls(Arc::clone(&house.tls));
    options
        .set_credentials("lamp", common::password("lamp"))
        .set_transport(Transport::tls_with_config(tls));
    let (client, mut eventloop) = AsyncClient::new(options, 10);
    let (topic, qos) = ("iothome/lamp/light/state", QoS::AtLeastOnce);
    client.publish(topic, qos, false, "ON").await.unwrap();
    while !matches!(
        eventloop.poll().await.unwrap(),
        Event::Incoming(Incoming::PubAck(_))
    ) {}
    assert_eq!(hub.message().await.0, topic);
    broker.stop().await;
}

#[tokio::test]
async fn silent_connections_lock_nobody_out() {
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(
            tokio::net::TcpStream::connect(broker.address())
                .await
                .unwrap(),
        );
    }
    let mut lamp = house.guest(&broker, "lamp").await;
    let answer = lamp.publish("iothome/lamp/x", "", false).await;
    assert_eq!(answer, PubAckReason::Success);
    drop(silent);
    broker.stop().await;
}

#[tokio::test]
async fn nobody_is_heard_without_tls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new(two_devices());
    let broker = house.open().await;
    let mut plain = tokio::net::TcpStream::connect(broker.address())
        .await
        .unwrap();
    // A CONNECT of MQTT 3.1.1 with an empty client id.
    let connect = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 0];
    plain.write_all(&connect).await.unwrap();
    let mut answer = Vec::new();
    // The broker may close politely or not; it must not say yes.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(&[0x20]), "{answer:?}");
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_devices_come_back_at_once() {
    let devices: Vec<_> = (0..1_000)
        .map(|n| credential(&format!("d{n}"), &[], &[&format!("iothome/d{n}/#")]))
        .collect();
    let house = House::new(devices);
    let broker = house.open().await;
    let started = std::time::Instant::now();
    let mut entering = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        let name = format!("d{n}");
        entering.spawn(Guest::enter(house.options(broker.address(), &name, &name)));
    }
    let mut guests = Vec::new();
    while let Some(entered) = entering.join_next().await {
        guests.push(entered.unwrap().unwrap());
    }
    // Told with `--nocapture`; how long it may take is a matter for a bench, not a test.
    tracing::info!(elapsed = ?started.elapsed(), "1,000 devices were in");
    assert_eq!(broker.clients().len(), 1_000);
    drop(guests);
    broker.stop().await;
}
