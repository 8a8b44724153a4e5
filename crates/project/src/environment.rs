//! The environment of the program, as values: whatever is made of it can be made of another one in a test.
//!
//! In: environment variables. Out: folders and files of the user, and texts. Next: the rooms of this crate.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The environment variables of the program.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

/// Says how many there are, and not what they are: some of them are secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Environment {
    /// Returns where the program keeps what it can make again: the user's cache folder. Absent if there is none.
    pub fn cache(&self) -> Option<PathBuf> {
        let base = self.path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        base.or_else(|| self.path("HOME").map(|home| home.join(".cache"))).map(|base| base.join("wharf"))
    }

    /// Returns the variable of that name, if it is set and is text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name.as_ref() as &std::ffi::OsStr).and_then(|value| value.clone().into_string().ok())
    }

    /// Returns where `docker login` and `podman login` keep what they were given.
    pub(crate) fn login_files(&self) -> Vec<PathBuf> {
        let docker = self.path("DOCKER_CONFIG").or_else(|| self.path("HOME").map(|home| home.join(".docker")));
        let podman = self.path("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json"));
        let own = self.path("REGISTRY_AUTH_FILE");
        own.into_iter().chain(docker.map(|docker| docker.join("config.json"))).chain(podman).collect()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.0.get(name.as_ref() as &std::ffi::OsStr).map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn the_cache_is_where_the_user_says_or_below_home() {
        let cache = |variables: &[(&str, &str)]| environment(variables).cache();
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]).as_deref(), Some(Path::new("/c/wharf")));
        assert_eq!(cache(&[("HOME", "/h")]).as_deref(), Some(Path::new("/h/.cache/wharf")));
        // A relative folder would be another one for each folder that the program is started in.
        assert_eq!(cache(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]).as_deref(), Some(Path::new("/h/.cache/wharf")));
        assert_eq!(cache(&[]), None);
    }

    #[test]
    fn logins_of_podman_come_before_those_of_docker_where_a_file_is_named() {
        let files = |variables: &[(&str, &str)]| environment(variables).login_files();
        assert_eq!(files(&[]), [""; 0].map(PathBuf::from));
        assert_eq!(files(&[("HOME", "/h")]), ["/h/.docker/config.json"].map(PathBuf::from));
        let all =
            [("REGISTRY_AUTH_FILE", "/a.json"), ("DOCKER_CONFIG", "/d"), ("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")];
        let expected = ["/a.json", "/d/config.json", "/r/containers/auth.json"];
        assert_eq!(files(&all), expected.map(PathBuf::from));
    }

    #[test]
    fn debug_output_has_no_value() {
        assert_eq!(format!("{:?}", environment(&[("TOKEN", "secret")])), "Environment(1 variables)");
    }
}
