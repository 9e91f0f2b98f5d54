using Npgsql;
using NpgsqlTypes;

namespace SignalHub.Storage;

/// <summary>Rows to columns and back.</summary>
public static class SqlArrays
{
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
}
