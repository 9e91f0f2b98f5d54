using System.Text.Encodings.Web;
using System.Text.Json;

namespace SignalHub.Benchmarks.Report;

/// <summary>The files that are committed.</summary>
internal static class ResultFiles
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // ÷ and µ stay readable; nobody puts the file into a page
    };

    public static void Write(LoadResult result, string directory) => Write(directory, "load", result, $"""
        # Single posts: the service, pgbench, plain EF Core

        Made by `dotnet run -c Release --project tests/SignalHub.Benchmarks -- load`; method and reading: [performance](../performance.md).
        {result.Rounds} rounds of {result.Seconds} s a measurement, figures in the second table are medians over the rounds.

        ![Durable signals per second](load.svg)

        {ResultTables.Ratios(result.Ratios)}
        {ResultTables.Contenders(result)}
        {ResultTables.Machine(result.At, result.Commit, result.Machine)}
        """, LoadChart.Draw(result));

    /// <summary>Writes <c>{name}.json</c>, <c>{name}.md</c> and, where there is a picture, <c>{name}.svg</c>.</summary>
    public static void Write<T>(string directory, string name, T result, string text, string? picture)
    {
        Directory.CreateDirectory(directory);
        Save(directory, $"{name}.json", JsonSerializer.Serialize(result, _json));
        Save(directory, $"{name}.md", text);
        if (picture is not null)
        {
            Save(directory, $"{name}.svg", picture);
        }
    }

    private static void Save(string directory, string name, string text)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllText(path, text.TrimEnd('\n') + "\n");
        Console.WriteLine(path);
    }
}
