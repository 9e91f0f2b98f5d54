using Npgsql;
using NpgsqlTypes;

namespace SignalHub.Storage;

/// <summary>A set-based statement of a batch while it is given its parameters: columns as arrays, in the order of <c>$1, $2, …</c>.</summary>
/// <param name="Command">The statement; one of a <see cref="KeptBatch"/> has its parameters already, and they take the new values.</param>
/// <param name="Given">How many it has been given.</param>
public readonly record struct SqlStatement(NpgsqlBatchCommand Command, int Given)
{
    public SqlStatement Column(Guid[] values) => Array(values, NpgsqlDbType.Uuid);

    public SqlStatement Column(Guid?[] values) => Array(values, NpgsqlDbType.Uuid);

    public SqlStatement Column(string?[] values) => Array(values, NpgsqlDbType.Text);

    public SqlStatement Column(bool[] values) => Array(values, NpgsqlDbType.Boolean);

    public SqlStatement Column(bool?[] values) => Array(values, NpgsqlDbType.Boolean);

    public SqlStatement Column(long[] values) => Array(values, NpgsqlDbType.Bigint);

    public SqlStatement Column(int?[] values) => Array(values, NpgsqlDbType.Integer);

    /// <summary>Transactions that wrote rows (<c>xmin</c>).</summary>
    public SqlStatement Column(uint[] values) => Array(values, NpgsqlDbType.Xid);

    public SqlStatement Column(byte[]?[] values) => Array(values, NpgsqlDbType.Bytea);

    public SqlStatement Column(DateTimeOffset[] values) => Array(System.Array.ConvertAll(values, v => v.UtcDateTime), NpgsqlDbType.TimestampTz);

    public SqlStatement Column(DateTimeOffset?[] values) => Array(System.Array.ConvertAll(values, v => v?.UtcDateTime), NpgsqlDbType.TimestampTz);

    public SqlStatement Column(TimeSpan?[] values) => Array(values, NpgsqlDbType.Interval);

    /// <summary>JSON documents as text; null is SQL null.</summary>
    public SqlStatement JsonColumn(string?[] values) => Array(values, NpgsqlDbType.Jsonb);

    /// <summary>JSON documents as they are in a request; null is SQL null.</summary>
    public SqlStatement JsonColumn(byte[]?[] values) => Array(values, NpgsqlDbType.Jsonb);

    /// <summary>Texts that were written as UTF-8: sent as they are.</summary>
    public SqlStatement Utf8Column(byte[]?[] values) => Array(values, NpgsqlDbType.Text);

    /// <summary>One value for all rows.</summary>
    public SqlStatement Value(Guid value) => Give(value, NpgsqlDbType.Uuid);

    /// <summary>One value for all rows.</summary>
    public SqlStatement Value(DateTimeOffset value) => Give(value.UtcDateTime, NpgsqlDbType.TimestampTz);

    private SqlStatement Array<T>(T[] values, NpgsqlDbType type) => Give(values, NpgsqlDbType.Array | type);

    private SqlStatement Give<T>(T value, NpgsqlDbType type)
    {
        if (Given < Command.Parameters.Count)
        {
            ((NpgsqlParameter<T>)Command.Parameters[Given]).TypedValue = value;
        }
        else
        {
            Command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
        }
        return new SqlStatement(Command, Given + 1);
    }
}

public static class SqlBatches
{
    /// <summary>Appends a statement, to be given its parameters.</summary>
    public static SqlStatement Add(this NpgsqlBatch batch, string sql)
    {
        var command = batch is KeptBatch kept ? kept.Take(sql) : new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return new SqlStatement(command, 0);
    }
}
