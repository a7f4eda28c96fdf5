//! Templates that would stop the hub if they could.

use super::*;

#[test]
fn a_template_that_loops_is_stopped() {
    for source in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
        "{{ 'x' * 100000000 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ range(100000) | list | join(',') | length }}{% for i in range(99999) %}{% endfor %}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}",
        "{{ (range(100000) | list) * 1000 | length }}",
        "{{ value | regex_replace('a', 'x' * 400000) }}",
    ] {
        assert!(
            read(source, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").is_err(),
            "{source}"
        );
    }
}

#[test]
fn dear_filters_are_paid_for_by_the_byte() {
    let payload = "a".repeat(60_000);
    for work in [
        "value | slugify",
        "value | lower | length",
        "value | truncate(3)",
        "('\"' ~ value ~ '\"') | from_json | length",
        "value is search('(a?){20}b')",
        "'x' is search('(a{9}){9}')",
        "value | base64_encode | length",
        "value | urlencode | length",
        "range(99999) | contains(-1)",
        "min(range(99999))",
        "range(99999) | list | to_json | length",
        "value.split('a') | length",
        "value.replace('a', 'bb') | length",
        "value | reverse | length",
    ] {
        let source = format!("{{% for i in range(9999) %}}{{% set x = {work} %}}{{% endfor %}}");
        assert!(read(&source, &payload).is_err(), "{work}");
    }
    for source in [
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 1 | round(2000000000) }}",
    ] {
        let output = read(source, "").unwrap_or_default();
        assert!(output.len() < 100, "{source}");
    }
}

/// The most complicated templates that pass, and ones just beyond.
fn complicated(n: usize) -> Vec<String> {
    let wrapped =
        |open: &str, close: &str| format!("{{{{ {}1{} }}}}", open.repeat(n), close.repeat(n));
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(n), close.repeat(n));
    let mut all = vec![
        nested("{% if 1 %}", "{% endif %}"),
        nested("{% for a in [1] %}", "{% endfor %}"),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(n)),
        format!("{}{{{{ l }}}}", "{% set l = [l] %}".repeat(n)),
    ];
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{'a':", "}"),
        ("iif(", ")"),
        ("not ", ""),
        ("-", ""),
        ("1 if 0 else ", ""),
    ] {
        all.push(wrapped(open, close));
    }
    for chain in [
        "+1", "**1", "~1", "|int", ".b", "[0]", " is int", " and 1", " or 1", "<2",
    ] {
        all.push(wrapped("", chain));
    }
    all
}

#[test]
fn no_template_overflows_half_a_stack() {
    let run = move || {
        let templates = Templates::new();
        for n in [
            8, 15, 16, 17, 60, 64, 65, 120, 127, 128, 250, 256, 257, 1000, 5000,
        ] {
            for source in complicated(n) {
                let _ = templates.value(&source, "1", &vars(), NOW, &TimeZone::UTC);
            }
        }
        // Everything at its limit at once.
        let all = format!(
            "{}{{% if 0 %}}{}{{% else %}}{{{{ {}{}1{} }}}}{{% endif %}}{}",
            "{% if 1 %}".repeat(15),
            "{% elif 0 %}".repeat(64),
            "iif(".repeat(16),
            "not ".repeat(240),
            ")".repeat(16),
            "{% endif %}".repeat(15),
        );
        templates.value(&all, "1", &vars(), NOW, &TimeZone::UTC)
    };
    // A worker of the hub has 2 MiB; what a template needs must fit into half of it.
    #[expect(
        clippy::disallowed_types,
        reason = "the test is about the size of a stack"
    )]
    let worker = std::thread::Builder::new().stack_size(1 << 20);
    let outcome = worker.spawn(run).unwrap().join();
    assert_eq!(outcome.unwrap().as_deref(), Ok("True"));
}

#[test]
fn depth_is_refused_and_length_is_not() {
    let check = |source: &str| Templates::new().check(source);
    for source in complicated(300) {
        assert!(check(&source).is_err(), "{source}");
    }
    let long = format!("{{{{ {{{}}}[value] }}}}", "'0.5': 'a-b|c',".repeat(400));
    assert_eq!(check(&long), Ok(()));
    let many = "{% if value == 'a' %}x{% endif %}".repeat(100);
    assert_eq!(check(&many), Ok(()));
    assert_eq!(
        check("{# {{ not ' #}{{ {'a':{'b':1}}['a'] }} {\"a\": {}} {{- value -}}"),
        Ok(())
    );
    for source in [
        "{{ 'a",
        "{# a",
        "{% raw %}{{ ' {% endraw %}",
        "{% macro m() %}{% endmacro %}",
        "{% set a %}x{% endset %}",
        "{% for a in b recursive %}{{ loop(a) }}",
    ] {
        assert!(check(source).is_err(), "{source}");
    }
}

#[test]
fn a_pattern_that_reads_to_the_end_at_each_match_is_paid_for() {
    let payload = "A".repeat(20_000);
    for source in [
        "{{ value | regex_findall('.*[^A-Z]|[A-Z]') | length }}",
        "{{ value | regex_replace('.*[^A-Z]|[A-Z]', '') | length }}",
    ] {
        assert_eq!(read(source, &payload), Err(TemplateError::TooMuchWork));
    }
    let words = "one two ".repeat(50);
    let source = "{{ value | regex_findall('[a-z]+') | length }}";
    assert_eq!(read(source, &words).as_deref(), Ok("100"));
}

#[test]
fn the_smallest_number_has_an_ordinal_ending_too() {
    let smallest = "{{ (-9223372036854775807 - 1) | ordinal }}";
    assert_eq!(read(smallest, "").as_deref(), Ok("-9223372036854775808th"));
}
