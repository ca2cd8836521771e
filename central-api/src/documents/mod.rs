//! Documents of the procedure as PDFs: what all of them share.

pub mod sign;
