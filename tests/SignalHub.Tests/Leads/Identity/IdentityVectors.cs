using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SignalHub.Tests.Leads.Identity;

/// <summary>The rows of Vectors/identity.csv: kind, input, canonical (`!code` = refused, `-class` = no company), comment.</summary>
internal static partial class IdentityVectors
{
    public static TheoryData<string, string> Of(string kind)
    {
        var rows = new TheoryData<string, string>();
        foreach (var row in Read().Where(r => r[0] == kind))
        {
            rows.Add(row[1], row[2]);
        }
        return rows;
    }

    private static IEnumerable<string[]> Read()
    {
        using var stream = typeof(IdentityVectors).Assembly.GetManifestResourceStream("Vectors/identity.csv")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            yield return [.. Fields(line).Select(Unescape)];
        }
    }

    private static List<string> Fields(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (line[i] == '"')
            {
                quoted = !quoted;
            }
            else if (line[i] == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(line[i]);
            }
        }
        fields.Add(field.ToString());
        return fields;
    }

    private static string Unescape(string text) =>
        Escape().Replace(text, m => ((char)int.Parse(m.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString());

    [GeneratedRegex(@"\\u([0-9a-fA-F]{4})")]
    private static partial Regex Escape();
}
