//! What both programs share.
use fnv::FnvHashMap;

pub fn text() -> String {
    let words: FnvHashMap<&str, &str> = [("from", "vendor/")].into_iter().collect();
    format!("Hello from {}", words["from"])
}
