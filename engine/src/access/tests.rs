//! Who may touch what, and whose an announcement is.
