//! Settings in TOML: files merged in the order given, values taken out one by one, every complaint
//! with file, line and key and what would be right, and all of them at once: a box on a pole is not
//! configured by trial and error.
//!
//! Pure: whoever has the texts reads them with this.

mod document;
mod error;
mod reader;
pub mod shapes;

pub use document::{Node, Place, Table, Value, parse};
pub use error::{ConfigError, ConfigErrors};
pub use reader::{Complaints, Reader};
