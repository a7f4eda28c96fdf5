//! Texts of the set-up page.
//!
//! Owner of their wording in every language. It must never hold markup.

/// What it says; `{}` is where the one thing goes that it is about.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct SetUpTexts {
    pub title: &'static str,
    pub lead: &'static str,
    pub code_legend: &'static str,
    pub code: &'static str,
    pub code_hint: &'static str,
    pub code_missing: &'static str,
    pub code_wrong: &'static str,
    pub code_spent: &'static str,
    pub home_legend: &'static str,
    pub home: &'static str,
    pub home_hint: &'static str,
    pub problem_home: &'static str,
    pub admin_legend: &'static str,
    pub admin_hint: &'static str,
    pub user_name_hint: &'static str,
    pub submit: &'static str,
    pub problem_user_name: &'static str,
    pub problem_password_short: &'static str,
    pub problem_password_long: &'static str,
}

pub(super) const ENGLISH: SetUpTexts = SetUpTexts {
    title: "Set up your home",
    lead: "This is done once. It takes two minutes.",
    code_legend: "The code from the hub",
    code: "Set-up code",
    code_hint: "The hub printed it when it started: six groups of letters and digits. Capital or small letters, with or without dashes.",
    code_missing: "Please type the code that the hub printed.",
    code_wrong: "This is not the code the hub printed. Look for six groups such as ABCD-EFGH. A new start prints a new one.",
    code_spent: "Too many wrong codes. Restart the hub; it will print a new code.",
    home_legend: "Your home",
    home: "Name of the home",
    home_hint: "It stands at the top of every page. For example “Rose Cottage”.",
    problem_home: "Please give the home a name of 1 to 64 characters.",
    admin_legend: "Who looks after the home",
    admin_hint: "With this name and password you sign in from now on. More people can be added later.",
    user_name_hint: "For example your first name.",
    submit: "Finish set-up",
    problem_user_name: "Please choose a name of 1 to 64 characters.",
    problem_password_short: "Use at least 8 characters.",
    problem_password_long: "This password is too long. Use at most 1,000 characters.",
};

pub(super) const GERMAN: SetUpTexts = SetUpTexts {
    title: "Ihr Zuhause einrichten",
    lead: "Das geschieht einmal und dauert zwei Minuten.",
    code_legend: "Der Code vom Hub",
    code: "Einrichtungscode",
    code_hint: "Der Hub hat ihn beim Start ausgegeben: sechs Gruppen aus Buchstaben und Ziffern. Groß oder klein, mit oder ohne Striche.",
    code_missing: "Bitte den Code eingeben, den der Hub ausgegeben hat.",
    code_wrong: "Das ist nicht der Code, den der Hub ausgegeben hat. Er besteht aus sechs Gruppen wie ABCD-EFGH. Ein neuer Start gibt einen neuen aus.",
    code_spent: "Zu viele falsche Codes. Den Hub neu starten; er gibt einen neuen Code aus.",
    home_legend: "Ihr Zuhause",
    home: "Name des Zuhauses",
    home_hint: "Er steht oben auf jeder Seite. Zum Beispiel „Haus am See“.",
    problem_home: "Bitte dem Zuhause einen Namen von 1 bis 64 Zeichen geben.",
    admin_legend: "Wer sich um das Zuhause kümmert",
    admin_hint: "Mit diesem Namen und Passwort melden Sie sich künftig an. Weitere Personen können später dazukommen.",
    user_name_hint: "Zum Beispiel Ihr Vorname.",
    submit: "Einrichtung abschließen",
    problem_user_name: "Bitte einen Namen von 1 bis 64 Zeichen wählen.",
    problem_password_short: "Mindestens 8 Zeichen verwenden.",
    problem_password_long: "Dieses Passwort ist zu lang. Höchstens 1000 Zeichen verwenden.",
};
