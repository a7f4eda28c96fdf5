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

/// A list in which `depth` others are nested, each twice: 2^depth items to read, few to build.
fn doubled(name: &str, depth: usize) -> String {
    let set = |what: &str| format!("{{% set {name} = {what} %}}");
    set("[value, value]") + &set(&format!("[{name}, {name}]")).repeat(depth)
}

#[test]
fn what_is_nested_and_shared_is_paid_for_by_each_that_reads_it() {
    let lists = doubled("l", 30) + &doubled("m", 30);
    let maps = lists.replace("[l, l]", "{'a': l, 'b': l}");
    for work in [
        "l",
        "l ~ ''",
        "'' ~ l",
        "l == m",
        "l < m",
        "l != m",
        "0 < l < m",
        "l in [m]",
        "l in m",
        "l | string",
        "l | to_json",
        "l | tojson",
        "l | pprint",
        "l | join",
        "l | urlencode",
        "l | float",
        "l | unique",
        "l | sort",
        "l | max",
        "max(l)",
        "max(l, m)",
        "[l, m] | max",
        "l | contains(m)",
        "','.join(l)",
        "'%s' | format(l)",
        "'{}'.format(l)",
        "l.count(m)",
        "{l: 1}",
        "{'a': 1}[l]",
        "l is eq(m)",
        "l is in([m])",
        "[1, 2] | map('eq', l)",
        "[l] | map('string')",
        "[l] | map('to_json')",
        "[m] | select('eq', l)",
        "l + m",
        "l[1:]",
        "l | batch(2)",
        "l | zip(m)",
        "l | chain(m)",
        "dict(a=l)",
        "l | replace('', 'x')",
    ] {
        for lists in [&lists, &maps] {
            let source = format!("{lists}{{{{ {work} }}}}");
            assert!(read(&source, "1").is_err(), "{work}");
        }
    }
    // What does not read it does not pay.
    for (work, answer) in [
        ("l is defined", "True"),
        ("l | length", "2"),
        ("l | default('x') | length", "2"),
        ("l[0:1] | length", "1"),
    ] {
        let source = format!("{}{{{{ {work} }}}}", doubled("l", 5));
        assert_eq!(read(&source, "1").as_deref(), Ok(answer), "{work}");
    }
}

#[test]
fn lists_grow_neither_by_operators_nor_by_filters() {
    let grow = |step: &str, times: usize| {
        format!(
            "{{% set l = [1, 2] %}}{}",
            format!("{{% set l = {step} %}}").repeat(times)
        )
    };
    for (step, times) in [
        ("l * 1000", 1),
        ("1000 * l", 1),
        ("[l] * 9", 3),
        ("(1, l) * 9", 1),
        ("l + l", 60),
        ("l | chain(l)", 60),
        ("l | zip(l) | list", 60),
        ("l | batch(9, l) | list", 60),
        ("l | slice(9, l) | list", 60),
        ("l | map(attribute='x', default=l) | list", 30),
        ("[l, l] | map('list') | list", 60),
        ("{'a': l, 'b': l}.values() | list", 60),
        ("[l, l] | groupby(0)", 60),
    ] {
        for use_of in [
            "{{ l }}",
            "{{ l[1000000000:] }}",
            "{{ l | length }}{{ l | string }}",
            "{{ l == l[0:] }}",
        ] {
            let source = grow(step, times) + use_of;
            assert!(read(&source, "").is_err(), "{step} then {use_of}");
        }
    }
}

#[test]
fn text_grows_no_further_than_the_fuel_goes() {
    let payload = "a ".repeat(30_000);
    let long = format!("{{% set s = value %}}{}", "{% set s = s ~ s %}".repeat(40));
    for work in [
        "{{ value.replace('', value) }}".to_owned(),
        "{{ value | replace('', value) }}".to_owned(),
        "{{ value | replace('a', value) }}".to_owned(),
        "{{ value.strip(value) | length }}".to_owned(),
        "{{ value | trim(value) | length }}".to_owned(),
        "{{ [value] | map('trim', value) | list | length }}".to_owned(),
        "{{ value | slugify(value) | length }}".to_owned(),
        "{{ value | list | join(value) | length }}".to_owned(),
        "{{ value.join(value) | length }}".to_owned(),
        "{{ value | indent(100000000) | length }}".to_owned(),
        "{{ ('x\n' * 1000) | indent(100000) | length }}".to_owned(),
        "{{ value.center(99999999) }}".to_owned(),
        "{{ value.ljust(99999999) }}".to_owned(),
        "{{ ('{0}' * 9999).format(value) | length }}".to_owned(),
        "{{ ('%(a)s' * 9999) | format(a=value) | length }}".to_owned(),
        "{{ '%99999999d' | format(1) | length }}".to_owned(),
        "{{ '%.99999999f' | format(1) | length }}".to_owned(),
        "{{ '%*d' | format(99999999, 1) | length }}".to_owned(),
        "{{ 'x' * 99999999 }}".to_owned(),
        "{{ ['x'] * 99999999 }}".to_owned(),
        format!("{long}{{{{ s | length }}}}"),
        long.replace('~', "+") + "{{ s | length }}",
    ] {
        assert!(read(&work, &payload).is_err(), "{work}");
    }
}

#[test]
fn a_run_reads_no_more_of_a_big_payload_than_its_fuel_pays_for() {
    let payload = format!("[{}1]", "1,".repeat(9_000));
    let one = "{{ value_json == value_json[0:] }}";
    assert_eq!(read(one, &payload), Err(TemplateError::TooMuchWork));
    let first = "{{ value_json | length }} {{ value_json is defined }}";
    assert_eq!(read(first, &payload).as_deref(), Ok("9001 True"));
    for work in [
        "value_json == [value_json]",
        "value_json | sort",
        "value_json | join",
    ] {
        let source = format!("{{% for i in range(99) %}}{{% set x = {work} %}}{{% endfor %}}");
        assert_eq!(
            read(&source, &payload),
            Err(TemplateError::TooMuchWork),
            "{work}"
        );
    }
}

#[test]
fn jumps_still_arrive_where_they_should() {
    let source = "{% for x in value_json if x != 2 %}{% if x == 1 %}a{% elif x > 3 %}b{{ x }}\
                  {% else %}c{% endif %}{{ ',' if not loop.last }}{% else %}none{% endfor %}\
                  {{ 'y' if 0 < value_json | length <= 9 and (1 == 2 or 3 in value_json) }}";
    assert_eq!(read(source, "[1,2,3,4]").as_deref(), Ok("a,c,b4y"));
    assert_eq!(read(source, "[]").as_deref(), Ok("none"));
}
