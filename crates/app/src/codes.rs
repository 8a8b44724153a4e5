//! The codes of manifest problems, each with the text that `wharf explain` shows.

/// One kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The stable name, `WHARF-0100` to `WHARF-0199`.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it means and what to do, in whole sentences.
    pub text: &'static str,
}

pub(crate) const SYNTAX: &str = "WHARF-0100";
pub(crate) const MISSING: &str = "WHARF-0101";
pub(crate) const TYPE: &str = "WHARF-0102";
pub(crate) const UNKNOWN_KEY: &str = "WHARF-0103";
pub(crate) const NAME: &str = "WHARF-0104";
pub(crate) const VERSION: &str = "WHARF-0105";
pub(crate) const QUANTITY: &str = "WHARF-0106";
pub(crate) const BOUNDS: &str = "WHARF-0107";
pub(crate) const UNKNOWN_COMPONENT: &str = "WHARF-0108";
pub(crate) const PATH_PATTERN: &str = "WHARF-0109";
pub(crate) const ROUTE_HOST: &str = "WHARF-0110";
pub(crate) const METHOD: &str = "WHARF-0111";
pub(crate) const ROUTE_CONFLICT: &str = "WHARF-0112";
pub(crate) const GRANT_PATTERN: &str = "WHARF-0113";
pub(crate) const PATH: &str = "WHARF-0114";
pub(crate) const ENVIRONMENT: &str = "WHARF-0115";
pub(crate) const SOURCE: &str = "WHARF-0116";
pub(crate) const LATER: &str = "WHARF-0117";
pub(crate) const CAPABILITY_LATER: &str = "WHARF-0118";
pub(crate) const EXCLUSIVE: &str = "WHARF-0119";
pub(crate) const STATIC: &str = "WHARF-0120";
pub(crate) const EMPTY: &str = "WHARF-0121";
pub(crate) const UNREACHABLE_LIMIT: &str = "WHARF-0122";
pub(crate) const DUPLICATE: &str = "WHARF-0123";
pub(crate) const TOO_LONG: &str = "WHARF-0124";
pub(crate) const LABEL: &str = "WHARF-0125";
pub(crate) const BINDING: &str = "WHARF-0126";
pub(crate) const VARIABLE: &str = "WHARF-0127";
pub(crate) const TEMPLATE: &str = "WHARF-0128";
pub(crate) const SECRET: &str = "WHARF-0129";
pub(crate) const UNSET: &str = "WHARF-0130";
pub(crate) const DEPENDENCY: &str = "WHARF-0131";
pub(crate) const CYCLE: &str = "WHARF-0132";

/// Every code of the manifest, in order.
pub const CODES: &[Code] = &[
    Code {
        code: SYNTAX,
        title: "the manifest is not valid TOML",
        text: "The file cannot be read as TOML 1.1. The excerpt shows where reading stopped making sense; the mistake is \
               there or just before: a missing quote or bracket, a key twice in a table, or a value without its key.",
    },
    Code {
        code: MISSING,
        title: "a required key is missing",
        text: "The table that the excerpt shows needs one more key. Add it with a value of the type that the manifest \
               reference gives.",
    },
    Code {
        code: TYPE,
        title: "a value has the wrong type",
        text: "The key is known, its value is of another type than expected: a number where a text belongs, a text where \
               a list belongs. Texts need quotes, lists need brackets.",
    },
    Code {
        code: UNKNOWN_KEY,
        title: "an unknown key",
        text: "The manifest has a key that Wharf does not know at this place. Keys are never ignored silently, because a \
               misspelt limit would be no limit at all. Correct the spelling, move the key to its table, or remove it.",
    },
    Code {
        code: NAME,
        title: "an invalid name",
        text: "Names of apps and components are parts of host names: lower-case letters, digits and `-`, first a letter, \
               last no `-`, at most 63 characters.",
    },
    Code {
        code: VERSION,
        title: "an invalid version",
        text: "The version of an app is a semantic version: three numbers with dots, then optionally `-` and a \
               pre-release, then optionally `+` and build information, as in `1.4.0-rc.1`.",
    },
    Code {
        code: QUANTITY,
        title: "an invalid size or duration",
        text: "A size is a whole number with a unit: `64MiB`, `512KiB`, `64MB`; a bare number counts bytes. A duration is \
               a whole number with a unit: `100us`, `50ms`, `10s`, `2m`, `1h`. Fractions are written in a smaller unit.",
    },
    Code {
        code: BOUNDS,
        title: "a value is out of bounds",
        text: "The value is of the right type, and too small or too large to work. The message gives the bound and the \
               reason for it.",
    },
    Code {
        code: UNKNOWN_COMPONENT,
        title: "an unknown component",
        text: "A trigger or a grant names a component that the manifest does not have. Correct the name, or add \
               `[component.NAME]`.",
    },
    Code {
        code: PATH_PATTERN,
        title: "an invalid route",
        text: "A route is a path: literal parts, `:name` for any one part, and `...` at the end for the rest, as in \
               `/users/:id/...`. Everything else is written as clients send it, percent-encoded where needed.",
    },
    Code {
        code: ROUTE_HOST,
        title: "an invalid host of a route",
        text: "The host of a route is a host name, `*.` and a host name, or an IP address (an IPv6 address in brackets), \
               without scheme and port.",
    },
    Code {
        code: METHOD,
        title: "an invalid HTTP method",
        text: "Methods are written in upper case, as in `[\"GET\", \"POST\"]`. Without `methods`, a route answers all.",
    },
    Code {
        code: ROUTE_CONFLICT,
        title: "two routes answer the same requests",
        text: "Two triggers have the same host, the same path (names of params make no difference) and a method in common, \
               so neither is more specific. Change one route, or give them different methods or hosts.",
    },
    Code {
        code: GRANT_PATTERN,
        title: "an invalid network grant",
        text: "A grant in `http` is `SCHEME://HOST[:PORT]`, or `http://COMPONENT.wharf.internal` for a component of the \
               app. A grant in `net` is `HOST:PORT`. Hosts are names, `*.example.com`, addresses, networks such as \
               `10.0.0.0/8`, or `*`; ports are numbers, ranges such as `8000-8100`, or `*`.",
    },
    Code {
        code: PATH,
        title: "an invalid file or folder",
        text: "The path is empty or cannot be used at this place. A folder is granted as `HOST::GUEST`, to be read, or as \
               `HOST::GUEST:rw`, to be written too.",
    },
    Code {
        code: ENVIRONMENT,
        title: "an invalid environment variable",
        text: "Names of environment variables are not empty and have no `=`; names and values have no NUL character.",
    },
    Code {
        code: SOURCE,
        title: "a source that names no component",
        text: "A component comes from a file, `source = \"auth.wasm\"`; from a URL with the digest of what is there, \
               `source = { url = \"https://…\", digest = \"sha256:…\" }`; or from a registry with a version or a digest, \
               `source = { registry = \"ghcr.io/acme/auth\", version = \"1.2.0\" }`.",
    },
    Code {
        code: LATER,
        title: "not in this version",
        text: "The manifest asks for something that this version of Wharf does not do. It is an error and not a warning \
               because the app would do something else than its manifest says. Remove it, or use a newer version.",
    },
    Code {
        code: CAPABILITY_LATER,
        title: "a capability that this version does not provide",
        text: "The grant is kept and has no effect: a component that imports the capability is refused when it is loaded. \
               Components that do not import it run as usual.",
    },
    Code {
        code: EXCLUSIVE,
        title: "keys that exclude each other",
        text: "The table has two keys of which only one can be meant. Remove one of them.",
    },
    Code {
        code: STATIC,
        title: "an invalid static answer",
        text: "A static answer has a status from 200 to 599, header names and values as HTTP allows them, and a body only \
               where the status allows one. Lengths, encodings and connections are the server's business.",
    },
    Code {
        code: EMPTY,
        title: "an app without content",
        text: "An app needs a component, or at least a trigger with a static answer.",
    },
    Code {
        code: UNREACHABLE_LIMIT,
        title: "a limit that is never reached",
        text: "Another limit ends the invocation earlier, so this one has no effect. Lower it, or raise the other.",
    },
    Code {
        code: DUPLICATE,
        title: "the same thing twice",
        text: "Two entries of a list are for the same thing, and only one can hold. Remove one of them.",
    },
    Code {
        code: TOO_LONG,
        title: "the manifest is too long",
        text: "A manifest has at most 1 MiB. Content that is served belongs into files or into a component.",
    },
    Code {
        code: LABEL,
        title: "an invalid label",
        text: "A label names what a component keeps its data in: a lower-case letter, then lower-case letters, digits, `-` \
               and `_`, at most 63 characters. Where the data really is, the operator says in `node.toml`.",
    },
    Code {
        code: BINDING,
        title: "an invalid binding",
        text: "A table of `node.toml` binds a label to a backend: `[keyvalue.LABEL]` for every app, \
               `[app.APP.keyvalue.LABEL]` for one. It names the `backend`; `namespace`, `timeout`, `concurrency` and `size` \
               are known to all backends, every other key is a setting of the backend. A value may be taken from elsewhere: \
               `{ env = \"NAME\" }` or `{ file = \"PATH\" }`.",
    },
    Code {
        code: VARIABLE,
        title: "an invalid variable",
        text: "A variable of `[variables]` has a `default`, or is `required`: then whoever runs the app gives its value. One \
               that is `secret` has no default, because a manifest is no place for secrets. A name has lower-case letters, \
               digits and `-`.",
    },
    Code {
        code: TEMPLATE,
        title: "an invalid template",
        text: "Values of `environment` and `config` are templates: `{{ name }}` stands for a variable that `[variables]` \
               declares, and `{{{{` for two braces. The excerpt shows a name that is not declared, or braces that are no \
               variable.",
    },
    Code {
        code: SECRET,
        title: "a secret where everybody could see it",
        text: "The value of a secret variable is not filled in to templates: configuration and environment are plain values, \
               which components pass on, print and show in errors. Grant it instead with `secrets = [\"NAME\"]` and have the \
               component get it by the interface `wharf:secrets`, which shows a value only where it is asked for.",
    },
    Code {
        code: UNSET,
        title: "a variable without a value",
        text: "The app is not run because a required variable has no value, or one that cannot be used. A value comes from, the \
               first that has one: the flag `--variable NAME=VALUE`; the environment variable `WHARF_VARIABLE_NAME`, in upper \
               case with `_` for `-`; the same in the file `.env` beside the manifest; the TOML file of `--variables`; the \
               `default`. A secret may also be stored with `wharf secrets set NAME`.",
    },
    Code {
        code: DEPENDENCY,
        title: "an invalid dependency",
        text: "A key of `[component.NAME.dependencies]` is the name of an import: `ns:pkg/interface` or `ns:pkg`, with or without \
               `@MAJOR.MINOR.PATCH`, or the plain name of an import that is no interface. `inherit` is `true`, `false`, or a list of \
               keys of `grants`.",
    },
    Code {
        code: CYCLE,
        title: "components depend on each other in a circle",
        text: "A component is joined to its dependencies when it is loaded, so none of them may depend on it, nor on something \
               that does. Move what both need into a component of its own, or have one call the other by HTTP at \
               `http://COMPONENT.wharf.internal`, which may go in circles.",
    },
];

/// Returns the code of that name, such as `WHARF-0103`.
pub fn find_code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_are_unique_and_in_order() {
        for (number, code) in (100..).zip(CODES) {
            assert_eq!(code.code, format!("WHARF-{number:04}"));
            assert!(code.text.ends_with('.') && !code.title.ends_with('.'), "{}", code.code);
        }
    }
}
