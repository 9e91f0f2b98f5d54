using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHub.Http;

/// <summary>A problem inside of an answer.</summary>
internal sealed class ProblemConverter : JsonConverter<Problem>
{
    public override Problem Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Problems are written only.");

    public override void Write(Utf8JsonWriter writer, Problem value, JsonSerializerOptions options) => value.WriteTo(writer, null, null);
}
