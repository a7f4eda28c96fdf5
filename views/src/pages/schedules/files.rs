//! Export and import.
//!
//! Owner of that page: it lists every fault of a file that was refused, and keeps what
//! was pasted.

use super::{back, shell};
use crate::components::form;
use crate::layout::Viewer;
use crate::links;
use crate::texts::Texts;
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug, Default)]
pub struct FilesPage {
    /// What was pasted.
    pub pasted: String,
    /// What is wrong with the whole.
    pub problem: Option<String>,
    /// Every fault of the file.
    pub faults: Vec<Fault>,
    /// Whether the viewer may schedule anything.
    pub may_make: bool,
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where: `schedules[3].trigger.at`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// Something that would be right there.
    pub example: String,
}

/// The whole page.
pub fn files(t: &'static Texts, viewer: &Viewer, model: &FilesPage) -> Markup {
    let s = &t.schedules;
    let content = html! {
        (back(links::SCHEDULES, s.back))
        header.page-head { h1 { (s.files_title) } p.hint { (s.files_lead) } }
        section.card.block.wide {
            h2 { (s.export) }
            p.hint { (s.export_hint) }
            p.ways { a.button.strong href=(links::EXPORT) download { (s.export_go) } }
        }
        @if model.may_make {
            form.card.block.wide.stack method="post" action=(links::IMPORT) enctype="multipart/form-data" {
                h2 { (s.import) }
                p.hint { (s.import_hint) }
                (form::csrf(&viewer.csrf))
                @if let Some(problem) = &model.problem { (form::alert(problem)) }
                @if !model.faults.is_empty() { (faults(t, &model.faults)) }
                div.field {
                    label for="file" { (s.import_file) }
                    input #file type="file" name="file" accept="application/json,.json";
                }
                div.field {
                    label for="pasted" { (s.import_paste) }
                    textarea #pasted name="pasted" rows="8" spellcheck="false" { (model.pasted) }
                }
                p.ways { button.button.strong { (s.import_go) } }
            }
        }
    };
    shell(t, viewer, s.files_title, None, &content)
}

fn faults(t: &Texts, faults: &[Fault]) -> Markup {
    let s = &t.schedules;
    html! {
        div.fault-table role="region" tabindex="0" aria-label=(s.import_faults) {
            table {
                caption { (s.import_faults) }
                thead { tr { th scope="col" { (s.import_place) } th scope="col" { (s.import_problem) } th scope="col" { (s.import_example) } } }
                tbody {
                    @for fault in faults {
                        tr {
                            td { code { (fault.field) } }
                            td { (fault.problem) }
                            td { code { (fault.example) } }
                        }
                    }
                }
            }
        }
    }
}
