using Npgsql;
using NpgsqlTypes;

namespace SignalHub.Storage;

/// <summary>Columns of a set-based statement as array parameters, in the order of <c>$1, $2, …</c>.</summary>
public static class SqlArrays
{
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, Guid[] values) => Array(command, values, NpgsqlDbType.Uuid);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, Guid?[] values) => Array(command, values, NpgsqlDbType.Uuid);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, string?[] values) => Array(command, values, NpgsqlDbType.Text);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, bool[] values) => Array(command, values, NpgsqlDbType.Boolean);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, bool?[] values) => Array(command, values, NpgsqlDbType.Boolean);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, long[] values) => Array(command, values, NpgsqlDbType.Bigint);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, int?[] values) => Array(command, values, NpgsqlDbType.Integer);

    /// <summary>Transactions that wrote rows (<c>xmin</c>).</summary>
    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, uint[] values) => Array(command, values, NpgsqlDbType.Xid);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, byte[]?[] values) => Array(command, values, NpgsqlDbType.Bytea);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, DateTimeOffset[] values) =>
        Array(command, System.Array.ConvertAll(values, v => v.UtcDateTime), NpgsqlDbType.TimestampTz);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, DateTimeOffset?[] values) =>
        Array(command, System.Array.ConvertAll(values, v => v?.UtcDateTime), NpgsqlDbType.TimestampTz);

    public static NpgsqlBatchCommand Column(this NpgsqlBatchCommand command, TimeSpan?[] values) => Array(command, values, NpgsqlDbType.Interval);

    /// <summary>JSON documents as text; null is SQL null.</summary>
    public static NpgsqlBatchCommand JsonColumn(this NpgsqlBatchCommand command, string?[] values) => Array(command, values, NpgsqlDbType.Jsonb);

    /// <summary>JSON documents as they are in a request; null is SQL null.</summary>
    public static NpgsqlBatchCommand JsonColumn(this NpgsqlBatchCommand command, byte[]?[] values) => Array(command, values, NpgsqlDbType.Jsonb);

    /// <summary>Texts that were written as UTF-8: sent as they are.</summary>
    public static NpgsqlBatchCommand Utf8Column(this NpgsqlBatchCommand command, byte[]?[] values) => Array(command, values, NpgsqlDbType.Text);

    /// <summary>A column of the rows of a set, in their order.</summary>
    public static TValue[] Of<TRow, TValue>(this IReadOnlyList<TRow> rows, Func<TRow, TValue> column)
    {
        var values = new TValue[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = column(rows[i]);
        }
        return values;
    }

    public static DateTimeOffset? Instant(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    public static string? Text(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static Guid? Id(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);

    /// <summary>
    /// The parameter <c>@now</c>: null in production, so that the database's clock counts for all nodes; a test's own clock otherwise.
    /// </summary>
    public static NpgsqlParameter Now(TimeProvider clock) => new("now", NpgsqlDbType.TimestampTz)
    {
        Value = ReferenceEquals(clock, TimeProvider.System) ? DBNull.Value : clock.GetUtcNow(),
    };

    public static int? Int(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt16(column);

    public static bool? Bool(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetBoolean(column);

    private static NpgsqlBatchCommand Array<T>(NpgsqlBatchCommand command, T[] values, NpgsqlDbType type)
    {
        command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
        return command;
    }
}
