using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace SignalHub.Storage;

/// <summary>
/// Rows for <c>copy … from stdin (format binary)</c>, laid out in memory and sent in one go: the driver's own importer spends on each
/// value what a whole row costs here. Values come in the order of the statement's columns and in exactly their types.
/// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
/// </summary>
internal sealed class CopyRows(short columns)
{
    private const int InitialBytes = 64 * 1024;

    // The format's name, no flags, nothing further.
    private static readonly byte[] _head = [.. "PGCOPY\n"u8, 0xFF, .. "\r\n\0"u8, 0, 0, 0, 0, 0, 0, 0, 0];
    // A row of -1 columns.
    private static readonly byte[] _end = [0xFF, 0xFF];
    private static readonly long _epoch = new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).UtcTicks;

    private readonly ArrayBufferWriter<byte> _bytes = new(InitialBytes);

    public bool IsEmpty => _bytes.WrittenCount == 0;

    public void Start()
    {
        if (IsEmpty)
        {
            _bytes.Write(_head);
        }
        BinaryPrimitives.WriteInt16BigEndian(_bytes.GetSpan(sizeof(short)), columns);
        _bytes.Advance(sizeof(short));
    }

    public void Add(Guid value)
    {
        const int Size = 16;
        value.TryWriteBytes(Field(Size), bigEndian: true, out _);
        _bytes.Advance(Size);
    }

    public void Add(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Field(sizeof(short)), value);
        _bytes.Advance(sizeof(short));
    }

    public void Add(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Field(sizeof(int)), value);
        _bytes.Advance(sizeof(int));
    }

    public void Add(double value)
    {
        BinaryPrimitives.WriteDoubleBigEndian(Field(sizeof(double)), value);
        _bytes.Advance(sizeof(double));
    }

    public void Add(bool value)
    {
        Field(1)[0] = value ? (byte)1 : (byte)0;
        _bytes.Advance(1);
    }

    /// <summary>As <c>timestamptz</c>, whose grain is a microsecond.</summary>
    public void Add(DateTimeOffset value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Field(sizeof(long)), (value.UtcTicks - _epoch) / TimeSpan.TicksPerMicrosecond);
        _bytes.Advance(sizeof(long));
    }

    public void Add(string? value)
    {
        if (value is null)
        {
            AddNull();
            return;
        }
        var length = Encoding.UTF8.GetByteCount(value);
        Encoding.UTF8.GetBytes(value, Field(length));
        _bytes.Advance(length);
    }

    public void Add(Guid? value)
    {
        if (value is { } known)
        {
            Add(known);
            return;
        }
        AddNull();
    }

    public void Add(short? value)
    {
        if (value is { } known)
        {
            Add(known);
            return;
        }
        AddNull();
    }

    public void Add(double? value)
    {
        if (value is { } known)
        {
            Add(known);
            return;
        }
        AddNull();
    }

    public void Add(DateTimeOffset? value)
    {
        if (value is { } known)
        {
            Add(known);
            return;
        }
        AddNull();
    }

    /// <summary>Sends the rows. Throws what the server says to them.</summary>
    public async Task SendAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        _bytes.Write(_end);
        await using var stream = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken);
        await stream.WriteAsync(_bytes.WrittenMemory, cancellationToken);
    }

    private void AddNull()
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(sizeof(int)), -1);
        _bytes.Advance(sizeof(int));
    }

    /// <summary>Room for a value of that many bytes behind its length.</summary>
    private Span<byte> Field(int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(sizeof(int)), length);
        _bytes.Advance(sizeof(int));
        return _bytes.GetSpan(Math.Max(1, length));
    }
}
