namespace SignalHub.Http;

/// <summary>A stable word for a kind of failure, with the status it is answered with and its human title.</summary>
public sealed record ProblemCode(string Code, int Status, string Title);

/// <summary>Every <c>code</c> this service answers with: one list, published in the OpenAPI document.</summary>
public static class ProblemCodes
{
    // 400: the body as a whole
    public static readonly ProblemCode BodyRequired = new("body_required", 400, "A request body is required");
    public static readonly ProblemCode MalformedJson = new("malformed_json", 400, "The body is not valid JSON");
    public static readonly ProblemCode BodyNotObject = new("body_not_object", 400, "The body must be a JSON object");
    public static readonly ProblemCode DuplicateMember = new("duplicate_member", 400, "A JSON object has the same member twice");
    public static readonly ProblemCode UnknownField = new("unknown_field", 400, "The body has an unknown field");
    public static readonly ProblemCode BadRequest = new("bad_request", 400, "The request could not be understood");
    public static readonly ProblemCode InvalidQuery = new("invalid_query", 400, "A query parameter is not valid");
    public static readonly ProblemCode InvalidCursor = new("invalid_cursor", 400, "The cursor is not valid");

    // 401, 403, 404, 405, 409, 413, 415
    public static readonly ProblemCode KeyRequired = new("key_required", 401, "An API key is required");
    public static readonly ProblemCode InvalidKey = new("invalid_key", 401, "The API key is not valid");
    public static readonly ProblemCode MissingScope = new("missing_scope", 403, "The API key lacks a scope");
    public static readonly ProblemCode LiveKeyRequired = new("live_key_required", 403, "A live key is required");
    public static readonly ProblemCode OperatorKeyRequired = new("operator_key_required", 403, "The operator key is required");
    public static readonly ProblemCode WorkspaceKeyRequired = new("workspace_key_required", 403, "A workspace key is required");
    public static readonly ProblemCode NotFound = new("not_found", 404, "Nothing is there");
    public static readonly ProblemCode RouteNotFound = new("route_not_found", 404, "No such route");
    public static readonly ProblemCode MethodNotAllowed = new("method_not_allowed", 405, "The route does not take this method");
    public static readonly ProblemCode Conflict = new("conflict", 409, "The change conflicts with what is there");
    public static readonly ProblemCode AlreadyExists = new("already_exists", 409, "It exists already");
    public static readonly ProblemCode InUse = new("in_use", 409, "It is still in use");
    public static readonly ProblemCode EndpointDisabled = new("endpoint_disabled", 409, "The webhook endpoint is disabled");
    public static readonly ProblemCode BodyTooLarge = new("body_too_large", 413, "The body is too large");
    public static readonly ProblemCode UnsupportedMediaType = new("unsupported_media_type", 415, "The content type is not supported");
    public static readonly ProblemCode UnsupportedEncoding = new("unsupported_encoding", 415, "The content encoding is not supported");

    // 422: fields
    public static readonly ProblemCode ValidationFailed = new("validation_failed", 422, "Some fields are not valid");
    public static readonly ProblemCode FieldRequired = new("field_required", 422, "A required field is missing");
    public static readonly ProblemCode InvalidType = new("invalid_type", 422, "A field has the wrong type");
    public static readonly ProblemCode InvalidValue = new("invalid_value", 422, "A field has a value that is not allowed");
    public static readonly ProblemCode TooLong = new("too_long", 422, "A field is too long");
    public static readonly ProblemCode TooDeep = new("too_deep", 422, "The JSON is nested too deeply");
    public static readonly ProblemCode OutOfRange = new("out_of_range", 422, "A field is out of range");
    public static readonly ProblemCode UnsupportedCharacter = new("unsupported_character", 422, "A character cannot be stored");
    public static readonly ProblemCode NumberOutOfRange = new("number_out_of_range", 422, "A number is out of range");
    public static readonly ProblemCode InvalidTimestamp = new("invalid_timestamp", 422, "A timestamp is not valid");
    public static readonly ProblemCode OccurredAtInFuture = new("occurred_at_in_future", 422, "The signal lies in the future");
    public static readonly ProblemCode OccurredAtTooOld = new("occurred_at_too_old", 422, "The signal is too old");
    public static readonly ProblemCode IdentityRequired = new("identity_required", 422, "No usable identifier");
    public static readonly ProblemCode UnknownSignalType = new("unknown_signal_type", 422, "The signal type is not known");
    public static readonly ProblemCode SignalTypeDisabled = new("signal_type_disabled", 422, "The signal type is disabled");
    public static readonly ProblemCode TooManySignalTypes = new("too_many_signal_types", 422, "The workspace has too many signal types");
    public static readonly ProblemCode IdempotencyKeyReused = new("idempotency_key_reused", 422, "The idempotency key was used for other content");
    public static readonly ProblemCode IdempotencyKeyConflict = new("idempotency_key_conflict", 422, "Header and body have different idempotency keys");
    public static readonly ProblemCode InvalidCondition = new("invalid_condition", 422, "A condition does not compile");
    public static readonly ProblemCode InvalidTemplate = new("invalid_template", 422, "A template does not compile");
    public static readonly ProblemCode TooManyAutomations = new("too_many_automations", 422, "The workspace has as many automations as it may have");
    public static readonly ProblemCode InvalidDomain = new("invalid_domain", 422, "Not a company domain");
    public static readonly ProblemCode InvalidUrl = new("invalid_url", 422, "Not a URL that can be sent to");
    public static readonly ProblemCode BlockedAddress = new("blocked_address", 422, "The address is not allowed");
    public static readonly ProblemCode NotStorable = new("not_storable", 422, "The database refused a value");

    // 429, 5xx
    public static readonly ProblemCode QuotaExceeded = new("quota_exceeded", 429, "The workspace's quota is used up");
    public static readonly ProblemCode Internal = new("internal_error", 500, "Something went wrong here");
    public static readonly ProblemCode Overloaded = new("overloaded", 503, "Too much is waiting");
    public static readonly ProblemCode NotReady = new("not_ready", 503, "Not ready");
    public static readonly ProblemCode DatabaseUnavailable = new("database_unavailable", 503, "The database is not available");

    /// <summary>All of them, by the word.</summary>
    public static IReadOnlyDictionary<string, ProblemCode> All { get; } = typeof(ProblemCodes)
        .GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
        .Where(f => f.FieldType == typeof(ProblemCode))
        .Select(f => (ProblemCode)f.GetValue(null)!)
        .ToDictionary(c => c.Code, StringComparer.Ordinal);
}
