namespace SignalHub.SignalTypes;

/// <summary>Bodies that work as they stand, shown in Swagger UI.</summary>
internal static class SignalTypeExamples
{
    public const string Create = """
        {"name": "Seat added", "description": "A customer added a seat.", "autoqualify": true, "enabled": true,
         "sub_rules": [{"name": "big_team", "when": "signal.context.team_size > 10"}]}
        """;

    public const string Patch = """{"enabled": false}""";
}
