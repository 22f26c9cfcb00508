//! Opening a page of the account in the browser: a program and its arguments, never a shell, never our secrets.

use std::{
    io,
    process::{Command, Stdio},
};

use super::editor::without_secrets;

/// Opens an https page.
///
/// # Errors
/// The address is not https, or there is no program to open it with.
pub fn open(url: &str) -> io::Result<()> {
    if !url.starts_with("https://") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("only https pages are opened, not '{url}'"),
        ));
    }
    start(url)
}

/// Opens HubSpot's page for consent, or that of a simulated portal on this machine.
///
/// # Errors
/// The address is neither, or there is no program to open it with.
pub fn open_consent(url: &str) -> io::Result<()> {
    let ours = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    if ours.iter().any(|ours| url.starts_with(ours)) || url.starts_with("https://app.hubspot.com/") {
        start(url)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is no page for consent",
        ))
    }
}

fn start(url: &str) -> io::Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(program);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    without_secrets(&mut command);
    // The child is the browser's own affair; a finished one is reaped when we end.
    command.spawn().map(drop)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_but_https_is_opened() {
        for url in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "--help",
            "http://hubspot.example",
        ] {
            assert!(super::open(url).is_err(), "{url}");
            assert!(super::open_consent(url).is_err(), "{url}");
        }
    }
}
