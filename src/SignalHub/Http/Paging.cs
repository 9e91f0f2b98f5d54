using System.Buffers.Binary;
using System.Buffers.Text;

namespace SignalHub.Http;

/// <summary>One page of a list: the rows, and where the next page starts (null: this was the last).</summary>
/// <param name="Data">Newest first.</param>
/// <param name="NextCursor">Opaque; give it back as <c>cursor</c>.</param>
/// <param name="Next">Absolute URL of the next page, filters included.</param>
public sealed record Page<T>(IReadOnlyList<T> Data, string? NextCursor, string? Next);

/// <summary>
/// Where a page ended: the last row's time and id (keyset paging; a list does not shift while it is read). Handlers take it as
/// a parameter; it reads <c>limit</c> (1–200, 50) and <c>cursor</c> from the query.
/// </summary>
public sealed record PageRequest(int Limit, DateTimeOffset? BeforeTime, Guid? BeforeId)
{
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;
    private const int CursorBytes = 24;

    public static ValueTask<PageRequest?> BindAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var limit = DefaultLimit;
        if (query.TryGetValue("limit", out var text)
            && (!int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxLimit))
        {
            throw new ProblemException(new Problem(ProblemCodes.InvalidQuery, $"limit must be a whole number from 1 to {MaxLimit}."));
        }
        if (!query.TryGetValue("cursor", out var cursor) || string.IsNullOrEmpty(cursor))
        {
            return new ValueTask<PageRequest?>(new PageRequest(limit, null, null));
        }
        return TryRead(cursor!, out var time, out var id)
            ? new ValueTask<PageRequest?>(new PageRequest(limit, time, id))
            : throw new ProblemException(new Problem(ProblemCodes.InvalidCursor, "cursor must be a next_cursor of this list, unchanged."));
    }

    /// <summary>
    /// Makes a page of the rows a store returned for <see cref="Limit"/> + 1: the extra row only tells that there is a next page.
    /// </summary>
    public Page<T> ToPage<T>(HttpContext context, IReadOnlyList<T> rows, Func<T, (DateTimeOffset Time, Guid Id)> position)
    {
        if (rows.Count <= Limit)
        {
            return new Page<T>(rows, null, null);
        }
        var page = rows.Take(Limit).ToList();
        var (time, id) = position(page[^1]);
        var cursor = Write(time, id);
        var request = context.Request;
        var query = request.Query.Where(p => p.Key != "cursor").SelectMany(p => p.Value, (p, value) => KeyValuePair.Create(p.Key, value))
            .Append(KeyValuePair.Create("cursor", (string?)cursor));
        var next = $"{request.Scheme}://{request.Host}{request.PathBase}{request.Path}{QueryString.Create(query)}";
        return new Page<T>(page, cursor, next);
    }

    private static string Write(DateTimeOffset time, Guid id)
    {
        Span<byte> bytes = stackalloc byte[CursorBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time.UtcTicks);
        id.TryWriteBytes(bytes[8..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    private static bool TryRead(string text, out DateTimeOffset time, out Guid id)
    {
        time = default;
        id = default;
        Span<byte> bytes = stackalloc byte[CursorBytes];
        if (text.Length != 32 || !Base64Url.IsValid(text) || Base64Url.DecodeFromChars(text, bytes) != CursorBytes)
        {
            return false;
        }
        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
        {
            return false;
        }
        time = new DateTimeOffset(ticks, TimeSpan.Zero);
        id = new Guid(bytes[8..], bigEndian: true);
        return true;
    }
}
