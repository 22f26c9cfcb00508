//! Handing a text to the person's own editor. The text lives in a private temporary file; the child gets no secret.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Variables no child process may inherit.
const SECRETS: [&str; 5] = [
    "DEALDECK_TOKEN",
    "HUBSPOT_ACCESS_TOKEN",
    "HUBSPOT_PRIVATE_APP_TOKEN",
    "HUBSPOT_API_KEY",
    "HUBSPOT_CLIENT_SECRET",
];

/// The variable with a secret that only the configuration knows by name.
static CONFIGURED: OnceLock<String> = OnceLock::new();

/// Tells, once and before any child process is started, which further variable none may inherit.
pub fn keep_from_children(name: &str) {
    // Told again it is the same configuration's.
    let _ = CONFIGURED.set(name.to_owned());
}

/// Takes our secrets out of a child's environment.
pub fn without_secrets(command: &mut Command) {
    for name in SECRETS.into_iter().chain(CONFIGURED.get().map(String::as_str)) {
        command.env_remove(name);
    }
}

/// Opens `text` in the editor (a program with arguments, e.g. `code --wait`) and gives back what was saved.
///
/// # Errors
/// The file cannot be made, or the editor does not start or ends with a failure: the text is then unchanged.
pub fn edit(editor: &str, dir: &Path, text: &str) -> io::Result<String> {
    let mut words = editor.split_whitespace();
    let program = words
        .next()
        .ok_or_else(|| io::Error::other("no editor is set; set EDITOR"))?;
    let file = private_file(dir, text)?;
    let mut command = Command::new(program);
    command.args(words).arg(&file);
    without_secrets(&mut command);
    let ended = command.status();
    let edited = read_back(&file);
    let _ = fs::remove_file(&file);
    match ended? {
        status if status.success() => edited,
        status => Err(io::Error::other(format!("'{program}' ended with {status}"))),
    }
}

fn private_file(dir: &Path, text: &str) -> io::Result<PathBuf> {
    let path = dir.join(format!("note-{}.txt", std::process::id()));
    let _ = fs::remove_file(&path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

fn read_back(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(1024 * 1024).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_child_inherits_no_secret() {
        let mut command = Command::new("any");
        without_secrets(&mut command);
        assert!(
            command
                .get_envs()
                .any(|(name, value)| name == "DEALDECK_TOKEN" && value.is_none())
        );
    }

    #[test]
    fn an_editor_gets_the_text_and_its_file_goes() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("ed.sh");
        fs::write(
            &script,
            "#!/bin/sh\n{ cat \"$1\"; echo \" and more\"; } > \"$1.new\"\nmv \"$1.new\" \"$1\"\n",
        )
        .unwrap();
        let edited = edit(&format!("sh {}", script.display()), dir.path(), "first").unwrap();
        assert_eq!(edited, "first and more");
        assert!(edit("false", dir.path(), "kept").is_err());
        assert!(
            fs::read_dir(dir.path()).unwrap().count() == 1,
            "the private file is removed"
        );
    }
}
