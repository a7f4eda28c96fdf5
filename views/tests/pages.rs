//! Every page and component in empty, typical, extreme and hostile form.
#![allow(clippy::unwrap_used, missing_docs)]

mod fixtures;

use fixtures as f;
use iothome_views::components::Look;
use iothome_views::links::Back;
use iothome_views::texts::ENGLISH;
use iothome_views::{Markup, assets, layout};

/// One element a line, and without the hashes of assets, so that a snapshot reads like prose.
fn readable(page: &Markup) -> String {
    let mut html = page.clone().into_string();
    for (asset, name) in [
        (&assets::STYLE, "STYLE"),
        (&assets::SCRIPT, "SCRIPT"),
        (&assets::ICON, "ICON"),
        (&assets::TOUCH_ICON, "TOUCH_ICON"),
        (&assets::MANIFEST, "MANIFEST"),
    ] {
        html = html.replace(&asset.path, name);
    }
    html.replace("><", ">\n<")
}

#[test]
fn pages_read_as_they_did() {
    for (name, page) in f::everything() {
        if name.ends_with("_extreme") || name == "design" {
            continue; // what they are made of is below
        }
        insta::assert_snapshot!(name, readable(&page));
    }
}

#[test]
fn components_read_as_they_did() {
    let look = Look {
        t: &ENGLISH,
        csrf: "csrf-token",
        back: &Back::Home,
    };
    for (name, panel) in f::panels() {
        insta::assert_snapshot!(format!("entity_{name}"), readable(&panel.draw(look)));
    }
    for (name, record) in f::records() {
        insta::assert_snapshot!(format!("record_{name}"), readable(&record));
    }
    insta::assert_snapshot!(
        "house_notice",
        readable(&layout::house_notice(&ENGLISH, false))
    );
}

#[test]
fn no_page_holds_anything_inline_or_lets_a_name_become_markup() {
    for (name, page) in f::everything() {
        let html = page.into_string();
        assert!(!html.contains("style="), "{name} has a style attribute");
        assert!(!html.contains("<style"), "{name} has an inline style");
        assert!(!html.contains("onerror=\""), "{name} lets an attribute in");
        assert!(!html.contains("<img"), "{name} lets an element in");
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, 1, "{name} has {scripts} scripts");
        assert!(html.contains("<script src="), "{name} has an inline script");
    }
}

#[test]
fn ids_are_unique_on_every_page_and_labels_point_at_fields() {
    for (name, page) in f::everything() {
        let html = page.into_string();
        let ids: Vec<&str> = values_of(&html, " id=\"");
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "{name} repeats an id: {ids:?}");
        for attribute in [" for=\"", " aria-labelledby=\"", " list=\""] {
            for target in values_of(&html, attribute) {
                assert!(ids.contains(&target), "{name}: nothing has the id {target}");
            }
        }
    }
}

fn values_of<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let parts = html.split(attribute).skip(1);
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn signed_out_pages_tell_nothing_of_the_house() {
    let home = f::viewer().home;
    for (name, page) in f::everything() {
        let signed_out = ["sign_in", "set_up", "error"]
            .iter()
            .any(|s| name.starts_with(s));
        assert_eq!(!page.into_string().contains(&home), signed_out, "{name}");
    }
}

#[test]
fn every_form_posts_to_a_page_route_with_a_token_once_somebody_is_signed_in() {
    for (name, page) in f::everything() {
        let html = page.into_string();
        let signed_out = name.starts_with("sign_in") || name.starts_with("set_up");
        for form in html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            if form.contains("method=\"get\"") {
                // A form that only chooses what is shown needs no token, and must not put it
                // into an address.
                assert!(!form.contains("name=\"csrf\""), "{name}: {form}");
                continue;
            }
            assert!(form.contains("method=\"post\""), "{name}: {form}");
            assert!(!form.contains("action=\"/api"), "{name}: {form}");
            assert_eq!(
                form.contains("name=\"csrf\""),
                !signed_out,
                "{name}: {form}"
            );
        }
    }
}
