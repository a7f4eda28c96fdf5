//! What each figure of `/metrics` means, in words (the `# HELP` lines).
//!
//! Owner of the list. A figure that is counted and missing here has no help; it
//! must never name a figure that nothing counts.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Counters and their meaning.
const COUNTERS: [(&str, &str); 26] = [
    (
        "iothome_actor_restarts_total",
        "Parts of the hub that failed and were started again",
    ),
    (
        "iothome_announcements_dropped_total",
        "Announcements dropped because too many waited",
    ),
    (
        "iothome_announcements_same_total",
        "Announcements that were the same as before",
    ),
    ("iothome_announcements_total", "Announcements received"),
    (
        "iothome_announcements_unsupported_total",
        "Announcements of components that are not modelled",
    ),
    (
        "iothome_audit_dropped_total",
        "Audit entries dropped because too many waited",
    ),
    (
        "iothome_bad_input_total",
        "Messages and announcements that could not be understood",
    ),
    ("iothome_commands_total", "Commands by their end"),
    (
        "iothome_history_samples_lost_total",
        "Samples coalesced or dropped before they were written",
    ),
    (
        "iothome_history_write_failures_total",
        "Batches of history that could not be written at once",
    ),
    (
        "iothome_http_requests_total",
        "HTTP requests by route and status",
    ),
    (
        "iothome_journal_failures_total",
        "Batches of command rows that could not be written at once",
    ),
    (
        "iothome_journal_given_up_total",
        "Command rows that can never be written",
    ),
    (
        "iothome_journal_refused_total",
        "Command rows refused because too many waited",
    ),
    (
        "iothome_mqtt_messages_dropped_total",
        "MQTT messages too large or of an unknown topic",
    ),
    (
        "iothome_mqtt_messages_received_total",
        "MQTT messages received",
    ),
    ("iothome_mqtt_messages_sent_total", "MQTT messages sent"),
    (
        "iothome_mqtt_subscriptions_refused_total",
        "Subscriptions that the broker refused",
    ),
    (
        "iothome_outbox_dropped_total",
        "Publications that left the outbox without being sent",
    ),
    (
        "iothome_reports_coalesced_total",
        "Messages that a device that was behind never saw: newer ones took their place",
    ),
    ("iothome_reports_total", "Messages that reached a device"),
    (
        "iothome_restarts_total",
        "Devices that failed and were started again",
    ),
    (
        "iothome_occurrences_decided_total",
        "Due instants of schedules decided, by the state of their row",
    ),
    (
        "iothome_occurrences_total",
        "Occurrences of schedules by their end",
    ),
    (
        "iothome_occurrences_write_failures_total",
        "Batches of occurrences that could not be written at once",
    ),
    (
        "iothome_schedule_actions_total",
        "Actions of schedules that were due, by what became of them",
    ),
];

/// Gauges and their meaning.
const GAUGES: [(&str, &str); 3] = [
    ("iothome_devices", "Devices of the house"),
    (
        "iothome_devices_quarantined",
        "Devices that failed too often and are stopped",
    ),
    ("iothome_journal_waiting", "Rows that wait to be written"),
];

/// Histograms, their unit and their meaning.
const HISTOGRAMS: [(&str, Unit, &str); 7] = [
    (
        "iothome_command_seconds",
        Unit::Seconds,
        "From acceptance to the end of a command",
    ),
    (
        "iothome_http_request_seconds",
        Unit::Seconds,
        "Time an HTTP request took",
    ),
    (
        "iothome_inbox_batch_size",
        Unit::Count,
        "Messages a device found waiting, up to 64; many at 64 mean that one is behind",
    ),
    (
        "iothome_journal_batch_size",
        Unit::Count,
        "Rows written in one transaction",
    ),
    (
        "iothome_journal_write_seconds",
        Unit::Seconds,
        "Time one transaction of rows took",
    ),
    (
        "iothome_occurrences_write_seconds",
        Unit::Seconds,
        "Time one transaction of occurrences took",
    ),
    (
        "iothome_schedule_lateness_seconds",
        Unit::Seconds,
        "From the instant of a scheduled action to its durable command",
    ),
];

/// Tells the recorder what everything means; call it once it is installed.
pub(crate) fn describe() {
    for (name, help) in COUNTERS {
        describe_counter!(name, help);
    }
    for (name, help) in GAUGES {
        describe_gauge!(name, help);
    }
    for (name, unit, help) in HISTOGRAMS {
        describe_histogram!(name, unit, help);
    }
}
