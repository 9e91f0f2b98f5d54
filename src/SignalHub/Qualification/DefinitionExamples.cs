namespace SignalHub.Qualification;

/// <summary>Bodies that work as they stand, shown in Swagger UI.</summary>
internal static class DefinitionExamples
{
    public const string Icp = """
        {"code": "Enterprise software", "priority": 100, "qualify_at": 60, "criteria": [
          {"id": "size", "label": "Employees", "mode": "score", "weight": 30, "field": "company.employees",
           "bands": [{"from": 1000, "points": 100}, {"from": 200, "to": 999, "points": 60}]},
          {"id": "team", "label": "Team size", "mode": "score", "weight": 20, "when": "signal.context.team_size >= 10"},
          {"id": "rival", "label": "Competitor", "mode": "exclude", "when": "company.domain in ['rival.com']"}]}
        """;

    public const string Persona = """
        {"code": "Engineering leader", "icp": "Mid-market SaaS", "qualify_at": 60, "criteria": [
          {"id": "seniority", "label": "Seniority", "mode": "score", "weight": 20, "when": "person.seniority in ['vp', 'c_level', 'head']"},
          {"id": "function", "label": "Function", "mode": "score", "weight": 10, "when": "person.function == 'engineering'"}]}
        """;

    public const string Patch = """{"qualify_at": 70}""";
}
