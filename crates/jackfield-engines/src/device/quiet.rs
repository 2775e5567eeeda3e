//! ALSA prints its complaints to standard error, where a person reads what we draw. What matters of them comes back
//! as errors too, so the rest goes to the log, on request.

/// Keeps what ALSA complains of on this thread; dropping it logs that.
#[cfg(target_os = "linux")]
pub(crate) fn keep_complaints() -> Option<Complaints> {
    alsa::Output::local_error_handler().ok().map(Complaints)
}

/// Elsewhere nothing is printed.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_complaints() {}

/// What was complained of on this thread.
#[cfg(target_os = "linux")]
pub(crate) struct Complaints(std::rc::Rc<std::cell::RefCell<alsa::Output>>);

#[cfg(target_os = "linux")]
impl Drop for Complaints {
    fn drop(&mut self) {
        self.0.borrow().buffer_string(|text| {
            if !text.is_empty() {
                let text = String::from_utf8_lossy(text);
                tracing::debug!(target: "jackfield::engine", "ALSA says: {}", text.trim_end());
            }
        });
    }
}
