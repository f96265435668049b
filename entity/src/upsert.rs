//! How an upsert treats rows that exist, and null.

crate::string_enum! {
    /// Which operations an upsert may perform.
    Mode as "UpsertMode" {
        /// Create the row; fail with TAKEN if it exists.
        CreateOnly = "CREATE_ONLY",
        /// Update the row; fail with NOT_FOUND if it does not exist.
        UpdateOnly = "UPDATE_ONLY",
        /// Create the row, or update it if it exists.
        Upsert = "UPSERT",
    }
}

crate::string_enum! {
    /// Meaning of null in an input.
    OnNull as "OnNull" {
        /// Null is the same as omitting the field: the value is kept.
        Keep = "KEEP",
        /// Null clears the field; a field that cannot be null fails with REQUIRED.
        Clear = "CLEAR",
    }
}
