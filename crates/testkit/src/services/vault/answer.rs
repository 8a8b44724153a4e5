//! What a Vault answers to a request, as a value.

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};

use super::secrets::TIME;
use super::{Fault, State};

/// A status and a JSON body.
pub(super) type Answer = (StatusCode, Value);

/// Answers a request. The fault that hangs is not its business.
pub(super) fn answer(state: &State, request: &Parts) -> Answer {
    let path = request.uri.path().strip_prefix("/v1/").unwrap_or_default();
    match (state.fault, path) {
        (Some(Fault::Internal), _) => errors(StatusCode::INTERNAL_SERVER_ERROR, &["internal error"]),
        (fault, "sys/health") => health(fault == Some(Fault::Sealed)),
        (Some(Fault::Sealed), _) => errors(StatusCode::SERVICE_UNAVAILABLE, &["Vault is sealed"]),
        _ if token(&request.headers) != Some(&state.token) => errors(StatusCode::FORBIDDEN, &["permission denied"]),
        (_, "auth/token/lookup-self") if request.method == Method::GET => lookup(state),
        (_, "auth/token/renew-self") if is_write(&request.method) => renew(state),
        _ => secret(state, &request.method, path, request.uri.query().unwrap_or_default()),
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let bearer = || headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ");
    headers.get("x-vault-token").and_then(|token| token.to_str().ok()).or_else(bearer)
}

fn is_write(method: &Method) -> bool {
    method == Method::POST || method == Method::PUT
}

fn secret(state: &State, method: &Method, path: &str, query: &str) -> Answer {
    let path = decoded(path);
    let mount = state.mounts.iter().find_map(|(mount, secrets)| {
        let rest = path.strip_prefix(mount.as_str())?.strip_prefix('/')?;
        Some((secrets, rest))
    });
    let Some((secrets, rest)) = mount else {
        let error = format!("no handler for route \"{path}\". route entry not found.");
        return errors(StatusCode::NOT_FOUND, &[&error]);
    };
    let Some(path) = rest.strip_prefix("data/") else {
        let hint = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints \
                    to use. If using the Vault CLI, use 'vault kv get' for this operation.";
        let body = json!({ "request_id": REQUEST, "lease_id": "", "renewable": false, "lease_duration": 0,
            "data": null, "wrap_info": null, "warnings": [hint], "auth": null });
        return (StatusCode::NOT_FOUND, body);
    };
    if method != Method::GET {
        return errors(StatusCode::METHOD_NOT_ALLOWED, &["unsupported operation"]);
    }
    let version = query.split('&').find_map(|pair| pair.strip_prefix("version="));
    let Ok(version) = version.unwrap_or("0").parse() else {
        let error = "Field validation failed: error converting input for field \"version\"";
        return errors(StatusCode::BAD_REQUEST, &[error]);
    };
    match secrets.get(path).and_then(|versions| versions.read(version)) {
        Some((true, data)) => (StatusCode::OK, whole("kv", data, Value::Null)),
        // Deleted: its metadata is there.
        Some((false, data)) => (StatusCode::NOT_FOUND, whole("kv", data, Value::Null)),
        None => errors(StatusCode::NOT_FOUND, &[]),
    }
}

fn lookup(state: &State) -> Answer {
    let data = json!({
        "accessor": "accessor", "creation_time": 1_767_225_600, "creation_ttl": state.lease.as_secs(),
        "display_name": "token", "entity_id": "", "expire_time": TIME, "explicit_max_ttl": 0, "id": state.token,
        "issue_time": TIME, "meta": null, "num_uses": 0, "orphan": true, "path": "auth/token/create",
        "policies": ["default"], "renewable": state.is_renewable, "ttl": state.lease.as_secs(), "type": "service",
    });
    (StatusCode::OK, whole("token", data, Value::Null))
}

fn renew(state: &State) -> Answer {
    if !state.is_renewable {
        return errors(StatusCode::BAD_REQUEST, &["lease is not renewable"]);
    }
    let auth = json!({
        "client_token": state.token, "accessor": "accessor", "policies": ["default"], "token_policies": ["default"],
        "metadata": null, "lease_duration": state.lease.as_secs(), "renewable": true, "entity_id": "",
        "token_type": "service", "orphan": true, "mfa_requirement": null, "num_uses": 0,
    });
    (StatusCode::OK, whole("token", Value::Null, auth))
}

fn health(is_sealed: bool) -> Answer {
    let status = if is_sealed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "initialized": true, "sealed": is_sealed, "standby": false, "performance_standby": false,
        "replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
        "server_time_utc": 1_767_225_600, "version": "1.17.0", "cluster_name": "test", "cluster_id": REQUEST,
    });
    (status, body)
}

/// The id of every request: nothing depends on it.
const REQUEST: &str = "00000000-0000-4000-8000-000000000000";

fn whole(mount: &str, data: Value, auth: Value) -> Value {
    json!({
        "request_id": REQUEST, "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
        "wrap_info": null, "warnings": null, "auth": auth, "mount_type": mount,
    })
}

fn errors(status: StatusCode, errors: &[&str]) -> Answer {
    (status, json!({ "errors": errors }))
}

/// Undoes `%20` and its like; what is no such code stays.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|code| str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
