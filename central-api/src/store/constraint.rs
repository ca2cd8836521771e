//! Database constraints as answers: the unique key is what decides, not an earlier look.

use super::StoreError;

/// A unique key, by the name PostgreSQL reports and the columns SQLite reports.
#[derive(Debug, Clone, Copy)]
pub struct Constraint {
    pub name: &'static str,
    pub columns: &'static str,
}

impl Constraint {
    fn is_behind(&self, error: &dyn sqlx::error::DatabaseError) -> bool {
        error.is_unique_violation()
            && match error.constraint() {
                Some(name) => name == self.name,
                None => error
                    .message()
                    .strip_prefix("UNIQUE constraint failed: ")
                    .is_some_and(|columns| columns == self.columns),
            }
    }
}

/// Turns the violation of a named constraint into a domain error.
pub trait OnConstraint<T> {
    fn on_constraint<E: From<StoreError>>(
        self,
        constraint: Constraint,
        error: impl FnOnce() -> E,
    ) -> Result<T, E>;
}

impl<T> OnConstraint<T> for Result<T, sqlx::Error> {
    fn on_constraint<E: From<StoreError>>(
        self,
        constraint: Constraint,
        error: impl FnOnce() -> E,
    ) -> Result<T, E> {
        self.map_err(|e| match e.as_database_error() {
            Some(database) if constraint.is_behind(database) => error(),
            _ => StoreError::from(e).into(),
        })
    }
}
