//! Texts of the form of a schedule.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct ScheduleFormTexts {
    pub title_new: &'static str,
    pub title_edit: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub when: &'static str,
    pub when_daily: &'static str,
    pub when_daily_hint: &'static str,
    pub when_at: &'static str,
    pub when_at_hint: &'static str,
    pub when_in: &'static str,
    pub when_in_hint: &'static str,
    pub when_every: &'static str,
    pub when_every_hint: &'static str,
    pub when_sun: &'static str,
    pub when_sun_hint: &'static str,
    pub when_cron: &'static str,
    pub when_cron_hint: &'static str,
    pub time: &'static str,
    pub date: &'static str,
    pub days: &'static str,
    pub days_hint: &'static str,
    pub amount: &'static str,
    pub unit: &'static str,
    pub seconds: &'static str,
    pub minutes: &'static str,
    pub hours: &'static str,
    pub whole_days: &'static str,
    pub window_from: &'static str,
    pub window_to: &'static str,
    pub window_hint: &'static str,
    pub sun_event: &'static str,
    pub sunrise: &'static str,
    pub sunset: &'static str,
    pub dawn: &'static str,
    pub dusk: &'static str,
    pub sun_minutes: &'static str,
    pub sun_side: &'static str,
    pub sun_before: &'static str,
    pub sun_after: &'static str,
    pub cron: &'static str,
    pub cron_hint: &'static str,
    pub what: &'static str,
    pub what_hint: &'static str,
    pub what_none: &'static str,
    pub action: &'static str,
    pub value: &'static str,
    pub value_hint: &'static str,
    pub value_range: &'static str,
    pub delay: &'static str,
    pub delay_then: &'static str,
    pub add_device: &'static str,
    pub add: &'static str,
    pub remove: &'static str,
    pub remove_row: &'static str,
    pub earlier: &'static str,
    pub more: &'static str,
    pub conditions: &'static str,
    pub conditions_hint: &'static str,
    pub conditions_all: &'static str,
    pub conditions_any: &'static str,
    pub conditions_mode: &'static str,
    pub conditions_raw: &'static str,
    pub conditions_raw_drop: &'static str,
    pub condition_state: &'static str,
    pub condition_time: &'static str,
    pub condition_sun: &'static str,
    pub condition_add_state: &'static str,
    pub condition_add_time: &'static str,
    pub condition_add_sun: &'static str,
    pub condition_not: &'static str,
    pub condition_part: &'static str,
    pub condition_is: &'static str,
    pub condition_is_hint: &'static str,
    pub condition_above: &'static str,
    pub condition_below: &'static str,
    pub condition_for: &'static str,
    pub condition_for_hint: &'static str,
    pub condition_sun_is: &'static str,
    pub sun_up: &'static str,
    pub sun_down: &'static str,
    pub advanced: &'static str,
    pub gap: &'static str,
    pub overlap: &'static str,
    pub missed: &'static str,
    pub grace: &'static str,
    pub grace_hint: &'static str,
    pub start: &'static str,
    pub end: &'static str,
    pub excluded: &'static str,
    pub excluded_hint: &'static str,
    pub jitter: &'static str,
    pub jitter_hint: &'static str,
    pub zone: &'static str,
    pub zone_hint: &'static str,
    pub enabled: &'static str,
    pub preview: &'static str,
    pub preview_go: &'static str,
    pub preview_next: &'static str,
    pub preview_none: &'static str,
    pub preview_wait: &'static str,
    pub preview_first: &'static str,
    pub save: &'static str,
    pub cancel: &'static str,
    pub changed: &'static str,
    pub example: &'static str,
    pub problem_number: &'static str,
    pub problem_time: &'static str,
    pub problem_date: &'static str,
    pub problem_action: &'static str,
    pub problem_value: &'static str,
    pub problem_test: &'static str,
    pub problem_device: &'static str,
    pub problem_no_actions: &'static str,
    pub problem_many: &'static str,
    pub auto_name: &'static str,
    /// A fault of the engine, in the words of the language; `None` if it is shown as it is.
    pub fault: fn(&str) -> Option<&'static str>,
}

pub(super) const ENGLISH: ScheduleFormTexts = ScheduleFormTexts {
    title_new: "New schedule",
    title_edit: "Edit {}",
    name: "Name",
    name_hint: "Left empty: made from what it does",
    when: "When?",
    when_daily: "Every day, or on some days",
    when_daily_hint: "At 7:00, Monday to Friday",
    when_at: "Once",
    when_at_hint: "At a date and time",
    when_in: "In a while",
    when_in_hint: "In 2 hours, counted from saving",
    when_every: "Again and again",
    when_every_hint: "Every 15 minutes from 8 to 20",
    when_sun: "With the sun",
    when_sun_hint: "30 minutes before sunset",
    when_cron: "Cron line",
    when_cron_hint: "For those who know it",
    time: "Time",
    date: "Date",
    days: "Days",
    days_hint: "None chosen means every day.",
    amount: "How much",
    unit: "Unit",
    seconds: "seconds",
    minutes: "minutes",
    hours: "hours",
    whole_days: "days",
    window_from: "From",
    window_to: "To",
    window_hint: "Leave both empty for all day and night.",
    sun_event: "Which",
    sunrise: "Sunrise",
    sunset: "Sunset",
    dawn: "Dawn",
    dusk: "Dusk",
    sun_minutes: "Minutes",
    sun_side: "Before or after",
    sun_before: "before",
    sun_after: "after",
    cron: "Cron line",
    cron_hint: "Minute, hour, day of month, month, day of week: 30 2 * * MON-FRI",
    what: "What?",
    what_hint: "Done in this order.",
    what_none: "Nothing yet: choose a device, then press “Add”.",
    action: "What to do",
    value: "To which value",
    value_hint: "Only for “Set”",
    value_range: "{} to {}",
    delay: "Wait before it",
    delay_then: "then",
    add_device: "Add a device",
    add: "Add",
    remove: "Remove",
    remove_row: "Remove step {}",
    earlier: "Move step {} up",
    more: "More settings",
    conditions: "Only if…",
    conditions_hint: "Asked when it is time. Without a condition it always runs.",
    conditions_all: "All of them must hold",
    conditions_any: "One of them is enough",
    conditions_mode: "How many",
    conditions_raw: "These conditions are too involved for this form and stay as they are:",
    conditions_raw_drop: "Take them away",
    condition_state: "State of {}",
    condition_time: "Time of day",
    condition_sun: "Sun",
    condition_add_state: "State of a device",
    condition_add_time: "Add a time of day",
    condition_add_sun: "Add the sun",
    condition_not: "Must not be so",
    condition_part: "Which state",
    condition_is: "is",
    condition_is_hint: "Such as on, off, open, closed",
    condition_above: "or is above",
    condition_below: "and below",
    condition_for: "for at least (minutes)",
    condition_for_hint: "Empty: at this moment",
    condition_sun_is: "The sun is",
    sun_up: "up",
    sun_down: "down",
    advanced: "Dates, clock changes, time zone",
    gap: "If clocks skip its time",
    overlap: "If its time comes twice",
    missed: "If the hub was down at its time",
    grace: "Too late after (minutes)",
    grace_hint: "For the latest one that was missed",
    start: "First day",
    end: "Last day",
    excluded: "Not on these days",
    excluded_hint: "One date a line: 2027-12-24",
    jitter: "At random up to (minutes) later",
    jitter_hint: "So that the house looks lived in",
    zone: "Time zone",
    zone_hint: "Left empty: the home’s, {}",
    enabled: "Turned on",
    preview: "Preview",
    preview_go: "Preview",
    preview_next: "The next times",
    preview_none: "Nothing to come.",
    preview_wait: "Fill in the form and press “Preview”: here you will see what it does and when.",
    preview_first: "Look it over, then save.",
    save: "Save",
    cancel: "Cancel",
    changed: "Somebody changed this schedule meanwhile. Look at it again, then save.",
    example: "For example {}",
    problem_number: "A whole number is needed here.",
    problem_time: "A time of day is needed.",
    problem_date: "A date is needed.",
    problem_action: "Choose what to do.",
    problem_value: "A value is needed.",
    problem_test: "Say what it must be: a word, or above or below a number.",
    problem_device: "You may not schedule this device, or it is no longer there.",
    problem_no_actions: "Choose at least one device.",
    problem_many: "There can be no more than {}.",
    auto_name: "{}: {}",
    fault: |_| None,
};

pub(super) const GERMAN: ScheduleFormTexts = ScheduleFormTexts {
    title_new: "Neuer Zeitplan",
    title_edit: "{} bearbeiten",
    name: "Name",
    name_hint: "Bleibt es leer, entsteht er aus dem, was geschieht",
    when: "Wann?",
    when_daily: "Jeden Tag oder an manchen Tagen",
    when_daily_hint: "Um 7:00, Montag bis Freitag",
    when_at: "Einmal",
    when_at_hint: "An einem Tag zu einer Uhrzeit",
    when_in: "Nach einer Weile",
    when_in_hint: "In 2 Stunden, vom Speichern an",
    when_every: "Immer wieder",
    when_every_hint: "Alle 15 Minuten von 8 bis 20 Uhr",
    when_sun: "Mit der Sonne",
    when_sun_hint: "30 Minuten vor Sonnenuntergang",
    when_cron: "Cron-Zeile",
    when_cron_hint: "Für alle, die das kennen",
    time: "Uhrzeit",
    date: "Datum",
    days: "Tage",
    days_hint: "Keiner gewählt heißt: jeden Tag.",
    amount: "Wie viel",
    unit: "Einheit",
    seconds: "Sekunden",
    minutes: "Minuten",
    hours: "Stunden",
    whole_days: "Tage",
    window_from: "Von",
    window_to: "Bis",
    window_hint: "Beides leer lassen für Tag und Nacht.",
    sun_event: "Was",
    sunrise: "Sonnenaufgang",
    sunset: "Sonnenuntergang",
    dawn: "Morgendämmerung",
    dusk: "Abenddämmerung",
    sun_minutes: "Minuten",
    sun_side: "Davor oder danach",
    sun_before: "davor",
    sun_after: "danach",
    cron: "Cron-Zeile",
    cron_hint: "Minute, Stunde, Tag, Monat, Wochentag: 30 2 * * MON-FRI",
    what: "Was?",
    what_hint: "In dieser Reihenfolge.",
    what_none: "Noch nichts: ein Gerät wählen, dann „Hinzufügen“ drücken.",
    action: "Was geschieht",
    value: "Auf welchen Wert",
    value_hint: "Nur für „Setzen“",
    value_range: "{} bis {}",
    delay: "Vorher warten",
    delay_then: "dann",
    add_device: "Ein Gerät dazu",
    add: "Hinzufügen",
    remove: "Entfernen",
    remove_row: "Schritt {} entfernen",
    earlier: "Schritt {} nach oben",
    more: "Weitere Einstellungen",
    conditions: "Nur wenn …",
    conditions_hint: "Wird gefragt, wenn es so weit ist. Ohne Bedingung läuft er immer.",
    conditions_all: "Alle müssen zutreffen",
    conditions_any: "Eine genügt",
    conditions_mode: "Wie viele",
    conditions_raw: "Diese Bedingungen sind für dieses Formular zu verwickelt und bleiben, wie sie sind:",
    conditions_raw_drop: "Wegnehmen",
    condition_state: "Zustand von {}",
    condition_time: "Tageszeit",
    condition_sun: "Sonne",
    condition_add_state: "Zustand eines Geräts",
    condition_add_time: "Tageszeit dazu",
    condition_add_sun: "Sonne dazu",
    condition_not: "Darf nicht so sein",
    condition_part: "Welcher Zustand",
    condition_is: "ist",
    condition_is_hint: "Etwa on, off, open, closed",
    condition_above: "oder liegt über",
    condition_below: "und unter",
    condition_for: "seit mindestens (Minuten)",
    condition_for_hint: "Leer: in diesem Augenblick",
    condition_sun_is: "Die Sonne ist",
    sun_up: "aufgegangen",
    sun_down: "untergegangen",
    advanced: "Daten, Uhrumstellung, Zeitzone",
    gap: "Wenn die Uhren seine Zeit überspringen",
    overlap: "Wenn es seine Zeit zweimal gibt",
    missed: "Wenn der Hub zu seiner Zeit nicht lief",
    grace: "Zu spät nach (Minuten)",
    grace_hint: "Für das letzte versäumte Mal",
    start: "Erster Tag",
    end: "Letzter Tag",
    excluded: "Nicht an diesen Tagen",
    excluded_hint: "Ein Datum je Zeile: 2027-12-24",
    jitter: "Zufällig bis zu (Minuten) später",
    jitter_hint: "Damit das Haus bewohnt aussieht",
    zone: "Zeitzone",
    zone_hint: "Bleibt es leer: die des Zuhauses, {}",
    enabled: "Eingeschaltet",
    preview: "Vorschau",
    preview_go: "Vorschau",
    preview_next: "Die nächsten Male",
    preview_none: "Es kommt nichts mehr.",
    preview_wait: "Bitte ausfüllen und „Vorschau“ drücken: hier steht dann, was wann geschieht.",
    preview_first: "Bitte ansehen, dann speichern.",
    save: "Speichern",
    cancel: "Abbrechen",
    changed: "Jemand hat diesen Zeitplan inzwischen geändert. Bitte noch einmal ansehen, dann speichern.",
    example: "Zum Beispiel {}",
    problem_number: "Hier gehört eine ganze Zahl hin.",
    problem_time: "Hier gehört eine Uhrzeit hin.",
    problem_date: "Hier gehört ein Datum hin.",
    problem_action: "Bitte wählen, was geschieht.",
    problem_value: "Hier gehört ein Wert hin.",
    problem_test: "Bitte sagen, wie es sein muss: ein Wort, oder über oder unter einer Zahl.",
    problem_device: "Für dieses Gerät dürfen Sie keine Zeitpläne machen, oder es ist nicht mehr da.",
    problem_no_actions: "Bitte mindestens ein Gerät wählen.",
    problem_many: "Mehr als {} sind nicht möglich.",
    auto_name: "{}: {}",
    fault: fault_german,
};

fn fault_german(problem: &str) -> Option<&'static str> {
    Some(match problem {
        "it is missing" => "Hier fehlt etwas.",
        "it lies in the past" => "Das liegt in der Vergangenheit.",
        "it is never due: its limits leave out every occurrence" => {
            "Das kommt nie vor: die Grenzen lassen nichts übrig."
        }
        "there is no such time zone" => "Diese Zeitzone gibt es nicht.",
        "the window is empty: it ends where it begins" => {
            "Die Zeitspanne ist leer: sie endet, wo sie beginnt."
        }
        "a time of day from 00:00 to 24:00 is needed" => {
            "Hier gehört eine Uhrzeit von 00:00 bis 24:00 hin."
        }
        "a date between 1970 and 2100 is needed" | "a date is needed" => {
            "Hier gehört ein Datum zwischen 1970 und 2100 hin."
        }
        "a local date and time without offset is needed" => "Hier gehören Datum und Uhrzeit hin.",
        "the home's place is not known, so neither is its sun" => {
            "Der Ort des Zuhauses ist nicht bekannt, also auch nicht seine Sonne."
        }
        "this local time does not exist: clocks are set forward over it, and the gap is to be skipped" => {
            "Diese Uhrzeit gibt es an dem Tag nicht: die Uhren werden darüber hinweg vorgestellt."
        }
        "set needs a value" => "Hier gehört ein Wert hin.",
        "at least one action is needed" => "Bitte mindestens ein Gerät wählen.",
        "nothing is above and below these at once" => "Nichts liegt zugleich darüber und darunter.",
        "a number is needed" => "Hier gehört eine Zahl hin.",
        "a word or a number is needed" => "Hier gehört ein Wort oder eine Zahl hin.",
        "a list is needed" => "Hier gehört eine Liste hin.",
        "an object is needed" => "Hier gehört ein Objekt hin.",
        "true or false is needed" => "Hier gehört true oder false hin.",
        "at least one condition is needed" => "Bitte mindestens eine Bedingung angeben.",
        "from and to, or days, are needed" => "Hier gehören Von und Bis oder Tage hin.",
        "only set takes a value" => "Nur „Setzen“ nimmt einen Wert.",
        "the value is too long" => "Der Wert ist zu lang.",
        "the kind is at, every, cron or sun" => "Die Art ist at, every, cron oder sun.",
        "the event is sunrise, sunset, dawn or dusk" => {
            "Möglich sind sunrise, sunset, dawn und dusk."
        }
        "an instant between 1970 and 2100 is needed" => {
            "Hier gehört ein Zeitpunkt zwischen 1970 und 2100 hin."
        }
        "the device has no such entity" => "Das hat dieses Gerät nicht.",
        "words such as @daily are not known; write five fields" => {
            "Wörter wie @daily sind nicht bekannt; bitte fünf Felder schreiben."
        }
        "the line never matches: no month has such a day" => {
            "Die Zeile trifft nie zu: kein Monat hat einen solchen Tag."
        }
        text => return fault_german_of(text),
    })
}

/// Faults that carry values of their own.
fn fault_german_of(problem: &str) -> Option<&'static str> {
    Some(match problem {
        text if text.starts_with("a number from ") || text.starts_with("a whole number from ") => {
            "Diese Zahl ist zu klein oder zu groß."
        }
        text if text.starts_with("and ") && text.ends_with(" more faults") => {
            "Und es gibt weitere Fehler."
        }
        text if text.starts_with("the value must be ")
            || text.starts_with("a light is set by ")
            || text.contains(" in per cent must be ") =>
        {
            "Diesen Wert nimmt das Gerät nicht an."
        }
        text if text.starts_with("the end lies before the start") => {
            "Das Ende liegt vor dem Anfang."
        }
        text if text.contains("printable characters are needed") => {
            "Der Name braucht 1 bis 100 sichtbare Zeichen."
        }
        text if text.starts_with("there is no device ") => {
            "Dieses Gerät gibt es nicht, oder es ist nicht mit Ihnen geteilt."
        }
        text if text.starts_with("you may not schedule the device ") => {
            "Für dieses Gerät dürfen Sie keine Zeitpläne machen."
        }
        text if text.contains(" cannot be asked of this ") => "Das kann dieses Gerät nicht.",
        text if text.starts_with("known are: ") || text.starts_with("unknown; known are: ") => {
            "Das gehört nicht zu dem, was möglich ist."
        }
        text if text.starts_with("there is no such field") => "Dieses Feld gibt es nicht.",
        text if text.starts_with("one or more of MON") => {
            "Hier gehören Wochentage hin: MON, TUE, WED, THU, FRI, SAT, SUN."
        }
        text if text.starts_with("the delays add up to more than ") => {
            "Die Wartezeiten sind zusammen zu lang."
        }
        text if text.ends_with(" entries are allowed") => "Das sind zu viele Einträge.",
        text if text.ends_with(" deep, are allowed") => {
            "Das sind zu viele Bedingungen, oder sie sind zu tief verschachtelt."
        }
        text if text.starts_with("the line has ") => {
            "Die Zeile braucht fünf Felder: Minute, Stunde, Tag, Monat, Wochentag."
        }
        text if text.starts_with("the line is longer than ")
            || text.contains(" lists more than ") =>
        {
            "Die Zeile ist zu lang."
        }
        text if text.ends_with(" cannot be read as a cron line") => {
            "Das lässt sich nicht als Cron-Zeile lesen."
        }
        text if text.contains(" is no minute;") => "Minuten gehen von 0 bis 59.",
        text if text.contains(" is no hour;") => "Stunden gehen von 0 bis 23.",
        text if text.contains(" is no day of month;") => {
            "Tage gehen von 1 bis 31; L, LW, L-3 oder 15W stehen allein."
        }
        text if text.contains(" is no month;") => "Monate gehen von 1 bis 12 oder JAN bis DEC.",
        text if text.contains(" is no day of week;") => {
            "Wochentage gehen von 0 bis 7 (0 und 7 sind Sonntag) oder MON bis SUN; FRIL oder MON#2 stehen allein."
        }
        text if text.contains(" is no step of the ") => "Dieser Schritt ist zu klein oder zu groß.",
        text if text.contains(" is no week of a month;") => "Wochen eines Monats sind #1 bis #5.",
        _ => return None,
    })
}
