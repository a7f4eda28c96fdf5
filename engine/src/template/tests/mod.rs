//! Templates as devices bring them, and the traps between Python and Rust.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test may fail, and reads better with values in place"
)]

mod hostile;

use super::*;
use proptest::prelude::*;

/// 2026-11-24 07:52:37.123 UTC; in Berlin it is 08:52:37.
const NOW: Timestamp = Timestamp::from_millis(1_795_506_757_123);

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn vars() -> Vars {
    Vars {
        name: "Lamp".into(),
        entity_id: "lamp".into(),
    }
}

fn read(source: &str, payload: &str) -> Result<String, TemplateError> {
    Templates::new().value(source, payload, &vars(), NOW, &berlin())
}

fn write(source: &str, value: serde_json::Value, extra: &[(&str, serde_json::Value)]) -> String {
    Templates::new()
        .command(source, &value, extra, &vars(), NOW, &berlin())
        .unwrap()
}

/// Each source with its payload and what Home Assistant makes of it.
fn table(rows: &[(&str, &str, &str)]) {
    for (source, payload, expected) in rows {
        assert_eq!(
            read(source, payload).as_deref(),
            Ok(*expected),
            "{source} on {payload}"
        );
    }
}

#[test]
fn numbers_print_as_python_prints_them() {
    table(&[
        ("{{ value | float }}", "22", "22.0"),
        ("{{ value | int }}", "22.7", "22"),
        ("{{ value | int }}", "-22.7", "-22"),
        ("{{ 10 / 4 }}", "", "2.5"),
        ("{{ 10 / 5 }}", "", "2.0"),
        ("{{ 7 // 2 }}", "", "3"),
        ("{{ -7 // 2 }}", "", "-4"),
        ("{{ -7 % 3 }}", "", "2"),
        ("{{ 2 ** 3 }}", "", "8"),
        ("{{ 0.1 + 0.2 }}", "", "0.30000000000000004"),
        (
            "{{ value_json.n }}",
            r#"{"n":9007199254740993}"#,
            "9007199254740993",
        ),
        (
            "{{ value_json.n }}",
            r#"{"n":18446744073709551615}"#,
            "18446744073709551615",
        ),
        ("{{ value_json.n }}", r#"{"n":1e16}"#, "1e+16"),
        ("{{ value_json.n }}", r#"{"n":0.00001}"#, "1e-05"),
        ("{{ value_json.n }}", r#"{"n":1.0}"#, "1.0"),
        ("{{ value_json.n }}", r#"{"n":1}"#, "1"),
    ]);
}

#[test]
fn truth_and_nothing_print_as_python_prints_them() {
    table(&[
        ("{{ value_json.on }}", r#"{"on":true}"#, "True"),
        ("{{ value_json.on }}", r#"{"on":false}"#, "False"),
        ("{{ value_json.on }}", r#"{"on":null}"#, "None"),
        ("{{ value_json.missing }}", r#"{"on":null}"#, ""),
        ("{{ value == 'x' }}", "x", "True"),
        ("{{ none }}", "", "None"),
        ("{{ [1, 'a', true, none] }}", "", "[1, 'a', True, None]"),
        (
            "{{ value_json | tojson }}",
            r#"{"a": [1, true, null]}"#,
            r#"{"a":[1,true,null]}"#,
        ),
        (
            "{{ value_json.t | to_json }}",
            r#"{"t": "<it's>"}"#,
            r#""<it's>""#,
        ),
    ]);
}

#[test]
fn rounding_is_to_even_and_gives_an_integer_without_digits() {
    table(&[
        ("{{ value | float | round }}", "21.6", "22"),
        ("{{ value | float | round(1) }}", "21.96", "22.0"),
        (
            "{{ 0.5 | round }}{{ 1.5 | round }}{{ 2.5 | round }}",
            "",
            "022",
        ),
        ("{{ 2.675 | round(2) }}", "", "2.67"),
        ("{{ value | round(0, 'floor') }}", "21.9", "21"),
        ("{{ value | round(1, 'ceil') }}", "21.91", "22.0"),
        ("{{ 21.3 | round(0, 'half') }}", "", "21"),
        ("{{ 21.3 | round(1, 'half') }}", "", "21.5"),
        ("{{ 'x' | round(1, default=5) }}", "", "5"),
        ("{{ 1234 | round(-2) }}", "", "1200.0"),
        ("{{ (value | float / 254 * 100) | round(0) }}", "127", "50"),
    ]);
}

#[test]
fn what_is_not_there_is_empty_and_what_is_below_it_is_an_error() {
    table(&[
        ("{{ value_json.a | default('none') }}", "{}", "none"),
        (
            "{{ value_json.a | default('', True) }}",
            r#"{"a":null}"#,
            "",
        ),
        ("{{ value_json.a is defined }}", "{}", "False"),
        ("{{ value_json is defined }}", "no json", "False"),
        ("{{ value_json.get('a', 'x') }}", "{}", "x"),
        ("{{ value_json.a | int(0) }}", r#"{"a":"?"}"#, "0"),
        ("{{ value_json.a | float(default=1.5) }}", "{}", "1.5"),
    ]);
    for (source, payload) in [
        ("{{ value_json.a.b }}", "{}"),
        ("{{ value_json.a.b | default(1) }}", "{}"),
        ("{{ value_json.a }}", "no json"),
        ("{{ value_json.a | is_defined }}", "{}"),
        ("{{ value_json.a | float }}", "{}"),
        ("{{ 'x' | int }}", ""),
        ("{{ value | float }}", "nan"),
        ("{{ value | float }}", "inf"),
        ("{{ states('sensor.x') }}", ""),
        ("{{ value_json.a + 1 }}", r#"{"a":"1"}"#),
    ] {
        assert!(read(source, payload).is_err(), "{source} on {payload}");
    }
}

#[test]
fn the_filters_and_functions_of_real_devices_work() {
    table(&[
        (
            "{{ value | float | multiply(0.001) | round(3) }}",
            "1234.5",
            "1.234",
        ),
        ("{{ 5 | add(2) }}", "", "7.0"),
        ("{{ value | lower }}", "ON", "on"),
        ("{{ is_number(value) }}", "12.5", "True"),
        ("{{ is_number(value) }}", "abc", "False"),
        ("{{ float(value) > 0 }}", "3", "True"),
        ("{{ min(3, 1, 2) }}{{ max([3, 1, 2]) }}", "", "13"),
        (
            "{{ value | truncate(5, True, '', 0) }}",
            "abcdefgh",
            "abcde",
        ),
        ("{{ iif(value == 'on', 'ON', 'OFF') }}", "on", "ON"),
        ("{{ (value == 'x') | iif('a', 'b') }}", "on", "b"),
        ("{{ '%.2f' | format(value | float) }}", "3.14159", "3.14"),
        (
            r"{{ value | regex_replace('(\d+)\.(\d+)', '\\2,\\1$') }}",
            "v12.3",
            "v3,12$",
        ),
        (
            "{{ value | regex_findall('[a-z]=([0-9])') }}",
            "a=1 b=2",
            "['1', '2']",
        ),
        (
            "{{ 12 | bitwise_and(10) }} {{ 12 | bitwise_or(3) }}",
            "",
            "8 15",
        ),
        (
            "{{ value.split(',')[0:2] | join(',') }}",
            "120,80,50",
            "120,80",
        ),
        ("{{ value.split(',')[-1] }}", "120,80,50", "50"),
        ("{{ value.replace('a', 'b') }}", "aXa", "bXb"),
        ("{{ value[0:2] }}", "abcd", "ab"),
        ("{{ 'x' ~ 1 ~ 2.0 }}", "", "x12.0"),
        ("{{ value | slugify }}", "Küche Licht", "kuche_licht"),
        (
            "{{ value | base64_encode }}{{ 'aGk=' | base64_decode }}",
            "hi",
            "aGk=hi",
        ),
        ("{{ (value | from_json).a }}", r#"{"a":1}"#, "1"),
        ("{{ value | regex_replace('a+', 'b') }}", "caat", "cbt"),
        ("{{ value | regex_findall_index('[0-9]+') }}", "v12.3", "12"),
        (
            "{{ value is match('v[0-9]') }}{{ value is search('3$') }}",
            "v12.3",
            "TrueTrue",
        ),
        ("{{ 'yes' | bool }}{{ 'x' | bool(false) }}", "", "TrueFalse"),
        ("{{ name }} {{ entity_id }}", "", "Lamp lamp"),
    ]);
}

#[test]
fn statements_of_real_devices_work() {
    let mode = "{% set values = {'auto':'schedule','heat':'manual'} %}\
                {{ values[value] if value in values.keys() else 'pause' }}";
    table(&[
        (mode, "auto", "schedule"),
        (mode, "off", "pause"),
        (
            "{% if value_json.x == 1 %}\n  ON\n{% else %}\n  OFF\n{% endif %}\n",
            r#"{"x":1}"#,
            "ON",
        ),
        ("{{ 'ok' if 0<=value|int<=65535 else 'no' }}", "70000", "no"),
        ("{{ value in ('a', 'b') }}", "b", "True"),
        (
            "{{ {'1':'on','0':'off'}[value] | default('unknown') }}",
            "1",
            "on",
        ),
        (
            "{% for k in value_json.keys() %}{{ k }};{% endfor %}",
            r#"{"a":1,"b":2}"#,
            "a;b;",
        ),
        (
            "{%- set x = value | int -%}\n{{ x // 60 }}:{{ x % 60 }}",
            "125",
            "2:5",
        ),
        ("{{ 5 == '5' }}{{ '5' | int == 5 }}", "", "FalseTrue"),
    ]);
}

#[test]
fn the_time_in_a_template_is_the_time_of_the_message() {
    table(&[
        (
            "{{ now().strftime('%Y-%m-%d %H:%M') }}",
            "",
            "2026-11-24 08:52",
        ),
        (
            "{{ utcnow().isoformat() }}",
            "",
            "2026-11-24T07:52:37.123000+00:00",
        ),
        ("{{ now() }}", "", "2026-11-24 08:52:37.123000+01:00"),
        ("{{ as_timestamp(now()) }}", "", "1795506757.123"),
        ("{{ now().year }}-{{ now().hour }}", "", "2026-8"),
        (
            "{{ 1795506757 | timestamp_local }}",
            "",
            "2026-11-24T08:52:37+01:00",
        ),
        (
            "{{ value | timestamp_utc }}",
            "1795506757",
            "2026-11-24T07:52:37+00:00",
        ),
        (
            "{{ 1795506757 | timestamp_custom('%H:%M', false) }}",
            "",
            "07:52",
        ),
        (
            "{{ as_timestamp(value) }}",
            "2026-11-24T07:52:37Z",
            "1795506757.0",
        ),
        (
            "{{ as_timestamp(value) }}",
            "2026-11-24 08:52:37",
            "1795506757.0",
        ),
        ("{{ as_timestamp('soon', 0) }}", "", "0"),
        ("{{ as_datetime(value) }}", "soon", "None"),
        (
            "{{ as_datetime(value) < now() }}",
            "2026-11-24T07:00:00Z",
            "True",
        ),
        (
            "{{ (as_timestamp(now()) - value | int) | timestamp_local }}",
            "37",
            "2026-11-24T08:52:00.123000+01:00",
        ),
        (
            "{{ strptime(value, '%d.%m.%Y %H:%M').isoformat() }}",
            "24.11.2026 08:52",
            "2026-11-24T08:52:00+01:00",
        ),
        (
            "{{ today_at('06:30').isoformat() }}",
            "",
            "2026-11-24T06:30:00+01:00",
        ),
    ]);
}

#[test]
fn a_command_template_sees_the_value_and_what_belongs_to_it() {
    use serde_json::json;
    assert_eq!(
        write(r#"{"state": "{{ value }}"}"#, json!("ON"), &[]),
        r#"{"state": "ON"}"#
    );
    assert_eq!(write("{{ value * 2 }}", json!(21), &[]), "42");
    assert_eq!(write("{{ value }}", json!(21.5), &[]), "21.5");
    assert_eq!(
        write(
            "{{ position }}/{{ value }}",
            json!(25),
            &[("position", json!(75))]
        ),
        "75/25"
    );
    assert_eq!(
        write("{{ value_json is defined }}", json!("{}"), &[]),
        "False"
    );
}

#[test]
fn what_does_not_compile_is_refused_when_it_is_configured() {
    let templates = Templates::new();
    assert!(matches!(
        templates.check("{{ value "),
        Err(TemplateError::Syntax(_))
    ));
    assert!(matches!(
        templates.check(&"x".repeat(TEMPLATE_MAX + 1)),
        Err(TemplateError::TooLong)
    ));
    assert_eq!(templates.check("{{ value_json.a | float }}"), Ok(()));
}

#[test]
fn no_template_reaches_another_one_or_the_house() {
    for source in [
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{{ self.x() }}",
        "{{ this.state }}",
        "{% import 'x' as y %}",
    ] {
        assert!(read(source, "1").is_err(), "{source}");
    }
}

#[test]
fn the_cache_stays_bounded_and_keeps_answering() {
    let templates = Templates::new();
    for i in 0..CACHE_MAX + 10 {
        let source = format!("{{{{ value }}}}{i}");
        let answer = templates.value(&source, "v", &vars(), NOW, &TimeZone::UTC);
        assert_eq!(answer, Ok(format!("v{i}")));
    }
    let cache = templates.compiled.read().unwrap();
    assert!(cache.sources.len() <= CACHE_MAX);
    assert_eq!(cache.sources.len(), cache.environment.templates().count());
}

proptest! {
    #[test]
    fn no_payload_makes_a_template_panic(payload in ".{0,60}") {
        for source in [
            "{{ value_json.a.b | float | round(2) }}",
            "{{ value | int }}{{ value[0:3] }}{{ value.split(',')[1] }}",
            "{{ as_timestamp(value) }}{{ value | timestamp_local }}",
            "{{ now().strftime(value) }}",
            "{{ strptime(value, value) }}{{ value | base64_decode }}",
            "{{ value | regex_replace(value, value) }}{{ value % 1 }}{{ value | round(value | int(0)) }}",
            "{{ value | truncate(1) }}{{ value | timestamp_custom(value) }}",
        ] {
            let _ = read(source, &payload);
        }
    }

    #[test]
    fn no_source_makes_the_environment_panic(source in "(\\{\\{|\\}\\}|\\{%|%\\}|value|[|.()\\[\\]'\"~+*/-]|[a-z0-9 ]){0,24}") {
        let _ = read(&source, "1");
    }

    #[test]
    fn a_float_reads_back_from_its_text(number in proptest::num::f64::NORMAL) {
        prop_assert_eq!(float_text(number).parse::<f64>().unwrap(), number);
    }
}
