namespace SignalHub.Storage;

/// <summary>
/// Something the operator must put right before the process can start: a setting, a file, the database. The message is the
/// one line that is shown; it says what is wrong and what to do, and holds no secret.
/// </summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
