/// Any error a plugin may fail with. Plugins are free to use whatever error type they like.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The message of whatever a panic was raised with, as far as it is text.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
