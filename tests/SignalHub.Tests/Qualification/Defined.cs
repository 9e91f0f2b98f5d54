using System.Text;
using System.Text.Json;
using SignalHub.Conditions;
using SignalHub.Http;
using SignalHub.Qualification;
using SignalHub.Tests.Conditions;

namespace SignalHub.Tests.Qualification;

/// <summary>Definitions and signals to score, as short as tests need them.</summary>
internal static class Defined
{
    private static readonly DateTimeOffset _now = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    public static DefinitionBody Icp(string json) => Body(DefinitionKind.Icp, json);

    public static DefinitionBody Persona(string json) => Body(DefinitionKind.Persona, json);

    /// <summary>An ICP of that code with those criteria (the JSON of the array's content).</summary>
    public static DefinitionBody Icp(string code, string criteria, int priority = 100, int qualifyAt = 60) =>
        Icp($$"""{"code":"{{code}}","priority":{{priority}},"qualify_at":{{qualifyAt}},"criteria":[{{criteria}}]}""");

    /// <summary>A persona of the ICP "A".</summary>
    public static DefinitionBody Persona(string code, string criteria, int priority = 100, int qualifyAt = 60, string icp = "A") =>
        Persona($$"""{"code":"{{code}}","icp":"{{icp}}","priority":{{priority}},"qualify_at":{{qualifyAt}},"criteria":[{{criteria}}]}""");

    public static DefinitionSet Set(params DefinitionBody[] bodies) => DefinitionSet.Build([.. bodies.Select(Stored)]);

    /// <summary>As the store would answer it, not validated: broken ones can be stored too.</summary>
    public static StoredDefinition Stored(DefinitionBody body) => new(
        body.Kind == "persona" ? DefinitionKind.Persona : DefinitionKind.Icp,
        Guid.Empty, body.Code!, Guid.Empty, 1, body, _now, _now);

    public static Verdict Score(DefinitionBody icp, string context) => Scorer.Score(Set(icp), Given.Context(context), personKnown: false);

    /// <summary>The explanation as it would be read back from the database.</summary>
    public static QualificationView View(this Verdict verdict) => QualificationView.Read(verdict.Compact());

    public static byte[] Compact(this Verdict verdict)
    {
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Json.WriterOptions))
        {
            verdict.WriteCompact(writer);
        }
        return buffer.ToArray();
    }

    public static string CompactText(this Verdict verdict) => Encoding.UTF8.GetString(verdict.Compact());

    public static ConditionInput Input(string signal, string? person = null, string? company = null) => new()
    {
        Signal = Given.Fields(signal),
        Person = person is null ? null : Given.Fields(person),
        Company = company is null ? null : Given.Fields(company),
        Now = _now,
    };

    private static DefinitionBody Body(DefinitionKind kind, string json) => JsonSerializer.Deserialize<DefinitionBody>(json, Json.Strict)!.Complete(kind);
}
