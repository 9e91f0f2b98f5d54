using System.Text.Json;
using System.Text.Unicode;
using SignalHub.Http;

namespace SignalHub.Signals.Batch;

/// <summary>
/// Finds the items of a batch without judging them: each one's bytes are checked later as those of a single request are, so that
/// one that is broken harms no other. Pure.
/// </summary>
public static class BatchBody
{
    /// <summary>Items of one request.</summary>
    public const int MaxItems = 1_000;

    /// <summary>Bytes of one request.</summary>
    public const int MaxBytes = 5 * 1024 * 1024;

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = int.MaxValue, AllowMultipleValues = false };

    /// <summary>The value of <c>signals</c>, taken apart; members beside it are none of ours.</summary>
    public static (List<ReadOnlyMemory<byte>> Items, Problem? Problem) OfJson(ReadOnlyMemory<byte> body)
    {
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return Refused(new Problem(ProblemCodes.BodyRequired, "The request has no body: send {\"signals\": […]}, or a signal per line as application/x-ndjson."));
        }
        if (!Utf8.IsValid(body.Span))
        {
            return Refused(new Problem(ProblemCodes.MalformedJson, "The body is not valid UTF-8: send JSON in UTF-8."));
        }
        try
        {
            return Counted(ItemsOf(body));
        }
        catch (JsonException e)
        {
            return Refused(new Problem(ProblemCodes.MalformedJson,
                $"The body is not valid JSON: line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1} of that line."));
        }
    }

    /// <summary>Each line that is not blank.</summary>
    public static (List<ReadOnlyMemory<byte>> Items, Problem? Problem) OfLines(ReadOnlyMemory<byte> body)
    {
        var items = new List<ReadOnlyMemory<byte>>();
        foreach (var range in body.Span.Split((byte)'\n'))
        {
            var line = body[range];
            if (!line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                items.Add(line);
            }
        }
        return Counted((items, null));
    }

    private static (List<ReadOnlyMemory<byte>>, Problem?) ItemsOf(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span, ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            reader.Read();      // grammar first: what follows the value may be wrong
            return Refused(new Problem(ProblemCodes.BodyNotObject, "The body is not an object: send {\"signals\": […]}."));
        }
        List<ReadOnlyMemory<byte>>? items = null;
        Problem? problem = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isSignals = reader.ValueTextEquals("signals"u8);
            reader.Read();
            if (!isSignals)
            {
                reader.Skip();
            }
            else if (items is not null)
            {
                problem ??= Problem.Field(ProblemCodes.DuplicateMember, "/signals", "/signals is given twice: send it once.");
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.StartArray)
            {
                problem ??= Problem.Field(ProblemCodes.InvalidType, "/signals", "/signals must be an array of signals.");
                items = [];
                reader.Skip();
            }
            else
            {
                items = Elements(ref reader, body);
            }
        }
        reader.Read();
        return problem is not null ? Refused(problem)
            : items is null ? Refused(Problem.Field(ProblemCodes.FieldRequired, "/signals", "/signals is required: an array of 1 to 1,000 signals."))
            : (items, null);
    }

    private static List<ReadOnlyMemory<byte>> Elements(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        var items = new List<ReadOnlyMemory<byte>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            items.Add(body[start..(int)reader.BytesConsumed]);
        }
        return items;
    }

    private static (List<ReadOnlyMemory<byte>>, Problem?) Counted((List<ReadOnlyMemory<byte>> Items, Problem? Problem) found) =>
        found.Problem is not null || found.Items.Count is > 0 and <= MaxItems ? found
        : found.Items.Count == 0 ? Refused(Problem.Field(ProblemCodes.FieldRequired, "/signals", "The batch is empty: send 1 to 1,000 signals."))
        : Refused(Problem.Field(ProblemCodes.TooLong, "/signals", $"The batch has {found.Items.Count} signals: send at most 1,000 in one request."));

    private static (List<ReadOnlyMemory<byte>>, Problem?) Refused(Problem problem) => ([], problem);
}
