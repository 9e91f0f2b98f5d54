using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using SignalHub.Http;

namespace SignalHub.Signals;

/// <summary>JSON reduced to what it says: members sorted by name, no insignificant space. Equal content gives equal bytes.</summary>
public static class CanonicalJson
{
    /// <summary>First 64 bits of the SHA-256 of the canonical form; 0 for an absent value.</summary>
    public static long Hash(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return 0;
        }
        using var json = JsonText.Rent();
        Write(value, json.Writer);
        return Hash(json.Utf8);
    }

    /// <summary>First 64 bits of the SHA-256 of a text; 0 for an absent one.</summary>
    public static long Hash(string? text) => text is null ? 0 : Hash(System.Text.Encoding.UTF8.GetBytes(text));

    private static long Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(hash);
    }

    /// <summary>Levels of objects and arrays: 0 for a scalar, 1 for <c>{}</c>. The gate has bounded it already.</summary>
    public static int Depth(JsonElement value)
    {
        var deepest = 0;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    deepest = Math.Max(deepest, Depth(member.Value));
                }
                return deepest + 1;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    deepest = Math.Max(deepest, Depth(item));
                }
                return deepest + 1;
            default:
                return 0;
        }
    }

    /// <summary>Whether the value takes no more than that many bytes without insignificant space.</summary>
    public static bool IsWithin(JsonElement value, int bytes)
    {
        if (value.ValueKind == JsonValueKind.Undefined || JsonMarshalLength(value) <= bytes)
        {
            return true;
        }
        var buffer = new ArrayBufferWriter<byte>(bytes);
        using var writer = new Utf8JsonWriter(buffer, Json.WriterOptions);
        value.WriteTo(writer);
        writer.Flush();
        return buffer.WrittenCount <= bytes;
    }

    // As sent, space included: an upper bound that needs no writing.
    private static int JsonMarshalLength(JsonElement value) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value).Length;

    private static void Write(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, writer);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, writer);
                }
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
