using SignalHub.Storage;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Storage;

public sealed class CopyingRowsTests
{
    [Fact]
    public async Task Every_type_and_null_arrive_as_they_were()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        await using var connection = await database.OpenAsync(default);
        await using var create = connection.CreateCommand();
        create.CommandText = "create table copied (u uuid, s smallint, i integer, d double precision, b boolean, t timestamptz, x text)";
        await create.ExecuteNonQueryAsync();
        var at = new DateTimeOffset(1999, 12, 31, 23, 59, 59, 123, 456, TimeSpan.Zero);
        var id = Ids.New(at);
        var longText = new string('ü', 200_000);

        var rows = new CopyRows(columns: 7);
        foreach (var text in new[] { "", "naïve 漢字 😀\n\\N", longText })
        {
            rows.Start();
            rows.Add(id);
            rows.Add((short)-7);
            rows.Add(int.MinValue);
            rows.Add(-0.25);
            rows.Add(true);
            rows.Add(at);
            rows.Add(text);
        }
        rows.Start();
        rows.Add((Guid?)null);
        rows.Add((short?)null);
        rows.Add(0);
        rows.Add((double?)null);
        rows.Add(false);
        rows.Add((DateTimeOffset?)null);
        rows.Add((string?)null);
        await rows.SendAsync(connection, "copy copied from stdin (format binary)", default);

        var read = new List<object?[]>();
        await using var select = connection.CreateCommand();
        select.CommandText = "select * from copied order by length(x) nulls last";
        await using (var reader = await select.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                var values = new object[reader.FieldCount];
                reader.GetValues(values);
                read.Add([.. values.Select(v => v is DBNull ? null : v)]);
            }
        }
        object?[] Row(string text) => [id, (short)-7, int.MinValue, -0.25, true, at.UtcDateTime, text];
        Assert.Equal([Row(""), Row("naïve 漢字 😀\n\\N"), Row(longText), [null, null, 0, null, false, null, null]], read);
    }

    [Fact]
    public async Task What_the_server_refuses_is_thrown_and_the_connection_goes_on()
    {
        await using var database = new Database(await TestPostgres.CreateEmptyDatabaseAsync());
        await using var connection = await database.OpenAsync(default);
        await using var command = connection.CreateCommand();
        command.CommandText = "create table copied (x text check (x <> 'bad'))";
        await command.ExecuteNonQueryAsync();
        var rows = new CopyRows(columns: 1);
        rows.Start();
        rows.Add("bad");

        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => rows.SendAsync(connection, "copy copied from stdin (format binary)", default));

        Assert.Equal("23514", refused.SqlState);
        command.CommandText = "select count(*) from copied";
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }
}
