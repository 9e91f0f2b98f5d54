using System.Text;
using System.Text.Json;

namespace SignalHub.Qualification;

/// <summary>
/// The stored form of an explanation. Arrays instead of objects, because it is written with every signal:
/// <c>{"q":qualified,"i":[definition…],"p":[definition…],"bi":chosen?,"bp":chosen?}</c>;
/// a definition is <c>[version, code, outcome, score, qualify_at, coverage, label of the gate]</c>;
/// a chosen one is <c>{"n":its index,"b":base,"m":penalty,"c":[criterion…]}</c>;
/// a criterion is <c>[label, mode, value, weight, points, contribution, passed]</c>.
/// </summary>
internal static class Explanation
{
    // How many criteria a sentence names: the rest is in the view.
    private const int NamedCriteria = 3;

    public static void Write(Utf8JsonWriter writer, Ranking icps, Ranking personas, bool qualified)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("q", qualified);
        WriteDefinitions(writer, "i", icps);
        WriteDefinitions(writer, "p", personas);
        WriteChosen(writer, "bi", icps);
        WriteChosen(writer, "bp", personas);
        writer.WriteEndObject();
    }

    private static void WriteDefinitions(Utf8JsonWriter writer, string name, Ranking ranking)
    {
        writer.WriteStartArray(name);
        foreach (var result in ranking.Results)
        {
            var definition = result.Definition;
            writer.WriteStartArray();
            writer.WriteStringValue(definition.VersionText);
            writer.WriteStringValue(definition.Code);
            writer.WriteStringValue(Outcome(result.Outcome, definition.Kind));
            writer.WriteNumberValue(result.Score);
            writer.WriteNumberValue(definition.QualifyAt);
            writer.WriteNumberValue(result.Coverage);
            if (result.Gate >= 0)
            {
                writer.WriteStringValue(definition.Criteria[result.Gate].Label);
            }
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
    }

    private static void WriteChosen(Utf8JsonWriter writer, string name, Ranking ranking)
    {
        if (ranking.Chosen is not { } chosen)
        {
            return;
        }
        writer.WriteStartObject(name);
        writer.WriteNumber("n", Array.FindIndex(ranking.Results, r => r.Definition == chosen.Definition));
        writer.WriteNumber("b", chosen.Base);
        writer.WriteNumber("m", chosen.Penalty);
        writer.WriteStartArray("c");
        foreach (var entry in ranking.Criteria)
        {
            WriteCriterion(writer, entry);
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteCriterion(Utf8JsonWriter writer, in CriterionScore entry)
    {
        var criterion = entry.Criterion;
        writer.WriteStartArray();
        writer.WriteStringValue(criterion.Label);
        writer.WriteStringValue(criterion.Mode.Text());
        entry.Seen.WriteTo(writer);
        if (criterion.Mode.HasWeight())
        {
            writer.WriteNumberValue(criterion.Weight);
            if (entry.Points == CompiledCriterion.Unknown)
            {
                writer.WriteNullValue();
            }
            else
            {
                writer.WriteNumberValue(entry.Points);
            }
            writer.WriteNumberValue(entry.Contribution);
        }
        else
        {
            writer.WriteNullValue();
            writer.WriteNullValue();
            writer.WriteNullValue();
            // The gates of a chosen definition are open, or it would not have been chosen.
            writer.WriteBooleanValue(true);
        }
        writer.WriteEndArray();
    }

    private static string Outcome(DefinitionOutcome outcome, DefinitionKind kind) => outcome switch
    {
        DefinitionOutcome.Match => "match",
        DefinitionOutcome.InsufficientData => "insufficient_data",
        DefinitionOutcome.Broken => "broken",
        _ => kind == DefinitionKind.Icp ? "not_icp" : "not_persona",
    };

    /// <summary>One sentence for people who see nothing else of the explanation (<c>relevance_explanation</c> of webhooks).</summary>
    public static string Sentence(QualificationView view)
    {
        var text = new StringBuilder(view.Qualified ? "Qualified: " : "Not qualified: ");
        if (view.Icp is { } icp)
        {
            Describe(text, "the account", icp);
            if (view.Persona is { } persona)
            {
                Describe(text.Append(", and "), "the contact", persona);
            }
            else if (view.Definitions.Any(d => d.Kind == DefinitionKind.Persona.Text()))
            {
                Absence(text.Append(", but "), view, DefinitionKind.Persona);
            }
        }
        else
        {
            Absence(text, view, DefinitionKind.Icp);
        }
        return text.Append('.').ToString();
    }

    private static void Describe(StringBuilder text, string subject, ChosenDefinitionView chosen)
    {
        text.Append(subject).Append(" fits ").Append(chosen.Code).Append(" with ").Append(chosen.Score).Append(" of 100");
        if (chosen.Score < chosen.QualifyAt)
        {
            text.Append(" where ").Append(chosen.QualifyAt).Append(" are needed");
        }
        var named = chosen.Criteria.Where(c => c.Contribution is not (null or 0))
            .OrderByDescending(c => Math.Abs(c.Contribution!.Value)).Take(NamedCriteria).ToList();
        for (var i = 0; i < named.Count; i++)
        {
            text.Append(i == 0 ? " (" : ", ").Append(named[i].Label);
            if (Shown(named[i].Value) is { } value)
            {
                text.Append(' ').Append(value);
            }
            text.Append(named[i].Contribution > 0 ? " +" : " −").Append(Math.Abs(named[i].Contribution!.Value));
        }
        text.Append(named.Count > 0 ? ")" : "");
    }

    /// <summary>Why nothing of a kind was chosen: the first definition with a missing value says more than one that does not fit.</summary>
    private static void Absence(StringBuilder text, QualificationView view, DefinitionKind kind)
    {
        var ofKind = view.Definitions.Where(d => d.Kind == kind.Text()).ToList();
        if (ofKind.Count == 0)
        {
            text.Append("no ").Append(kind.Noun()).Append(" is defined");
            return;
        }
        var told = ofKind.Find(d => d.Verdict == "insufficient_data") ?? ofKind[0];
        text.Append("no ").Append(kind.Noun()).Append(" fits; ").Append(told.Code);
        text.Append(told.Verdict switch
        {
            "insufficient_data" => $" needs to know {told.Gate}",
            "broken" => " has a condition that no longer compiles",
            _ => $" is ruled out by {told.Gate}",
        });
    }

    /// <summary>Null for what a sentence should not carry: several values, lists, and what is absent.</summary>
    private static string? Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() is { Length: > 0 and <= 60 } text => text,
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
