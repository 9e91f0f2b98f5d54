using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// What a connection executes again and again with other values. Commands and parameters are used again, with all that the driver found
/// out about them: for a transaction of seven statements with ninety columns that took longer than the rest of its sending.
/// </summary>
/// <param name="connection">Stays open for as long as this is used; it is prepared on that one.</param>
public sealed class KeptBatch(NpgsqlConnection connection) : NpgsqlBatch(connection)
{
    private readonly Dictionary<string, NpgsqlBatchCommand> _commands = new(StringComparer.Ordinal);
    private bool _hasNew;

    /// <summary>Executes what was added since the last time.</summary>
    /// <param name="prepare">Statements that this connection sends for the first time are prepared before.</param>
    public async ValueTask<NpgsqlDataReader> SendAsync(bool prepare, CancellationToken cancellationToken)
    {
        if (prepare && _hasNew)
        {
            await PrepareAsync(cancellationToken);
            _hasNew = false;
        }
        return await ExecuteReaderAsync(cancellationToken);
    }

    /// <summary>Ends this one: what was sent is not held on to.</summary>
    public void Clear()
    {
        foreach (var command in BatchCommands)
        {
            foreach (NpgsqlParameter parameter in command.Parameters)
            {
                if (parameter.Value is Array)
                {
                    parameter.Value = null;
                }
            }
        }
        BatchCommands.Clear();
    }

    /// <summary>The command of that statement: the one that was sent before, unless this batch has it already.</summary>
    internal NpgsqlBatchCommand Take(string sql)
    {
        if (_commands.TryGetValue(sql, out var command) && !BatchCommands.Contains(command))
        {
            return command;
        }
        _hasNew = true;
        command = new NpgsqlBatchCommand(sql);
        _commands.TryAdd(sql, command);
        return command;
    }
}
