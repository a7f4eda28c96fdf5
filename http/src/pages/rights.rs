//! Who may do what with which device, by person and by device, for administrators.
//!
//! Owner of those two forms. A row that is not in the form stays as it is, and so
//! does a mixture of rights that no level stands for.

use super::people::{Address, find};
use super::visit::{Visit, page, see_other};
use crate::api::users::user_id;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_engine::ids::{DeviceId, UserId};
use iothome_engine::policy::{Right, Rights, Role};
use iothome_engine::view::DeviceView;
use iothome_store::User;
use iothome_views::Markup;
use iothome_views::components::rights::{ALL_FIELD, KEEP, Level, ROW_PREFIX, RightsRow};
use iothome_views::links;
use iothome_views::pages::person::{self as view, AccessPage, Done, PersonPage, PersonProblems};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of one form: its fields stay below the bound of a form's body.
const ROWS: usize = 200;
/// People looked at for the rows of one device, page by page.
const USERS_PAGE: usize = 200;

/// The fields: `all`, and `for.<id>` for each row.
type Fields = HashMap<String, String>;

/// A person with their rights.
pub(crate) async fn person(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    address: Query<Address>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let one = find(&app, &path).await?;
    let done = address.0.done.as_deref().and_then(Done::from_word);
    let after = device_id(address.0.after.as_deref())?;
    let mut model = model(&app, &user, one, after).await?;
    model.done = done;
    Ok(page(draw(&visit, &model)))
}

fn draw(visit: &Visit, model: &PersonPage) -> Markup {
    let live = visit.live("quiet");
    view::page(visit.t, &visit.viewer, &live, model)
}

/// The person's page once more, with what is wrong.
pub(super) async fn person_again(
    app: &App,
    user: &CurrentUser,
    visit: &Visit,
    one: User,
    typed_name: Option<String>,
    problems: PersonProblems,
) -> Answer {
    let mut model = model(app, user, one, None).await?;
    if let Some(name) = typed_name {
        model.typed_name = name;
    }
    model.problems = problems;
    Ok(super::people::unprocessable(&draw(visit, &model)))
}

fn device_id(after: Option<&str>) -> Answer<Option<DeviceId>> {
    let read = |text: &str| {
        let id = text.parse();
        id.map_err(|_| Problem::bad_request("after is the id of a device").field("after"))
    };
    after.map(read).transpose()
}

async fn model(
    app: &App,
    viewer: &CurrentUser,
    one: User,
    after: Option<DeviceId>,
) -> Answer<PersonPage> {
    let grants = app.store.grants_of(one.id).await?;
    let (devices, next) = devices(app, after.as_ref());
    let row = |device: &Arc<DeviceView>| {
        let rights = grants.get(&device.id).copied().unwrap_or(Rights::NONE);
        RightsRow {
            id: device.id.to_string(),
            name: device.name.clone(),
            about: device.room.clone(),
            to: links::device(&device.id),
            level: Level::of(rights),
        }
    };
    Ok(PersonPage {
        id: one.id,
        typed_name: one.name.clone(),
        name: one.name,
        role: one.role,
        disabled: one.disabled,
        you: one.id == viewer.subject.user,
        done: None,
        problems: PersonProblems::default(),
        rights: devices.iter().map(row).collect(),
        next,
    })
}

/// A page of the house's devices, by name, and after which one the next begins.
fn devices(app: &App, after: Option<&DeviceId>) -> (Vec<Arc<DeviceView>>, Option<DeviceId>) {
    let mut all = app.hub.house().devices();
    if let Some(at) = after.and_then(|id| all.iter().position(|device| device.id == *id)) {
        all.drain(..=at);
    }
    let more = all.len() > ROWS;
    all.truncate(ROWS);
    let next = all.last().filter(|_| more).map(|last| last.id.clone());
    (all, next)
}

/// Changes a person's rights.
pub(crate) async fn change(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<Fields>,
) -> Answer {
    user.admin()?;
    let one = find(&app, &path).await?;
    if one.role == Role::Admin {
        return Err(Problem::conflict(
            "admin",
            "an administrator has every right on every device",
        ));
    }
    let before = app.store.grants_of(one.id).await?;
    let rights_before = |id: &DeviceId| before.get(id).copied().unwrap_or(Rights::NONE);
    let wanted: Vec<(DeviceId, Level)> = match all(&form.0)? {
        Some(level) => {
            let devices = app.hub.house().devices();
            devices
                .iter()
                .map(|device| (device.id.clone(), level))
                .collect()
        }
        None => rows(&form.0)?,
    };
    let changes: Vec<(UserId, DeviceId, Rights)> = wanted
        .into_iter()
        // One that was deleted meanwhile has no rights to give.
        .filter(|(id, level)| {
            app.hub.house().device(id).is_some() && rights_before(id) != level.rights()
        })
        .map(|(id, level)| (one.id, id, level.rights()))
        .collect();
    apply(&app, &user, &changes).await?;
    let done = Done::Rights.as_str();
    Ok(see_other(&format!(
        "{}?done={done}",
        links::person(&one.id)
    )))
}

async fn apply(
    app: &App,
    user: &CurrentUser,
    changes: &[(UserId, DeviceId, Rights)],
) -> Answer<()> {
    if !changes.is_empty() {
        app.hub.set_grants(changes, &user.subject).await?;
        app.feed.forget();
    }
    Ok(())
}

/// What is wanted for all rows, if anything is.
fn all(fields: &Fields) -> Answer<Option<Level>> {
    fields
        .get(ALL_FIELD)
        .map_or(Ok(None), |word| level(ALL_FIELD, word))
}

/// What is wanted for each row.
fn rows<T: std::str::FromStr>(fields: &Fields) -> Answer<Vec<(T, Level)>> {
    let mut wanted = Vec::new();
    for (field, word) in fields {
        let Some(id) = field.strip_prefix(ROW_PREFIX) else {
            if field == ALL_FIELD {
                continue;
            }
            return Err(Problem::invalid(field, "there is no such field"));
        };
        let id = id
            .parse()
            .map_err(|_| Problem::invalid(field, "this is no id"))?;
        if let Some(level) = level(field, word)? {
            wanted.push((id, level));
        }
    }
    Ok(wanted)
}

fn level(field: &str, word: &str) -> Answer<Option<Level>> {
    if word == KEEP {
        return Ok(None);
    }
    let level = Level::from_word(word);
    level
        .map(Some)
        .ok_or_else(|| Problem::invalid(field, "there is no such level"))
}

/// Who may use one device.
pub(crate) async fn access(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    address: Query<Address>,
) -> Answer {
    let device = device_of(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let after = user_id(address.0.after.as_deref())?;
    let (members, next) = members(&app, after).await?;
    let grants = grants(&app, &device.id).await?;
    let rights = members.iter().map(|member| RightsRow {
        id: member.id.to_string(),
        name: member.name.clone(),
        about: member.disabled.then(|| visit.t.people.disabled.to_owned()),
        to: links::person(&member.id),
        level: Level::of(grants.get(&member.id).copied().unwrap_or(Rights::NONE)),
    });
    let model = AccessPage {
        id: device.id.clone(),
        name: device.name.clone(),
        rights: rights.collect(),
        next,
        saved: address.0.done.as_deref() == Some(Done::Rights.as_str()),
    };
    let live = visit.live("quiet");
    Ok(page(view::access(visit.t, &visit.viewer, &live, &model)))
}

fn device_of(app: &web::Data<App>, user: &CurrentUser, id: &str) -> Answer<Arc<DeviceView>> {
    let id = super::visit::device_of(app, user, id, Right::View)?;
    user.admin()?;
    app.hub
        .house()
        .device(&id)
        .ok_or_else(super::visit::no_device)
}

/// A page of those who are not administrators, and after whom the next begins.
async fn members(app: &App, after: Option<UserId>) -> Answer<(Vec<User>, Option<UserId>)> {
    let users = app.store.users(USERS_PAGE, after).await?;
    let full = users.len() >= USERS_PAGE;
    let next = users.last().filter(|_| full).map(|last| last.id);
    let members = users.into_iter().filter(|user| user.role == Role::Member);
    Ok((members.collect(), next))
}

/// Everybody's rights on the device.
async fn grants(app: &App, device: &DeviceId) -> Answer<HashMap<UserId, Rights>> {
    let mut all = HashMap::new();
    let mut after = None;
    loop {
        let some = app.store.grants_on(device, USERS_PAGE, after).await?;
        after = some.last().map(|(user, _)| *user);
        let full = some.len() >= USERS_PAGE;
        all.extend(some);
        if !full {
            return Ok(all);
        }
    }
}

/// Changes who may use a device.
pub(crate) async fn change_access(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    form: Form<Fields>,
) -> Answer<HttpResponse> {
    let device = device_of(&app, &user, &path)?;
    let before = grants(&app, &device.id).await?;
    let mut members_of_house: HashMap<UserId, Role> = HashMap::new();
    let mut after = None;
    loop {
        let (some, next) = members(&app, after).await?;
        members_of_house.extend(some.into_iter().map(|member| (member.id, member.role)));
        after = next;
        if after.is_none() {
            break;
        }
    }
    let wanted: Vec<(UserId, Level)> = match all(&form.0)? {
        Some(level) => members_of_house.keys().map(|id| (*id, level)).collect(),
        None => rows(&form.0)?,
    };
    let changes: Vec<(UserId, DeviceId, Rights)> = wanted
        .into_iter()
        .filter(|(id, level)| {
            let rights_before = before.get(id).copied().unwrap_or(Rights::NONE);
            // One who was deleted or promoted meanwhile needs no rights.
            members_of_house.contains_key(id) && rights_before != level.rights()
        })
        .map(|(id, level)| (id, device.id.clone(), level.rights()))
        .collect();
    apply(&app, &user, &changes).await?;
    let done = Done::Rights.as_str();
    Ok(see_other(&format!(
        "{}?done={done}",
        links::access(&device.id)
    )))
}
