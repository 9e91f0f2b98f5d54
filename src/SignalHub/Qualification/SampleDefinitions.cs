using System.Text.Json;
using SignalHub.Http;

namespace SignalHub.Qualification;

/// <summary>
/// The ICP and persona of a fresh workspace. Nothing is known there about any company yet, so they lean on what the signal itself
/// says: a team of ten at an identified company and a leader of engineering qualify, with 73 and 81 of 100. Employees and
/// industry show what account facts add once they are known. They can be changed and deleted like any other.
/// </summary>
public static class SampleDefinitions
{
    public static readonly DefinitionBody Icp = Read(DefinitionKind.Icp,
        """
        {"code":"Mid-market SaaS","criteria":[
          {"id":"private","label":"Private address","mode":"exclude","when":"person.email_class == 'free_mail' && !has(company.domain)"},
          {"id":"team","label":"Team size","mode":"score","weight":45,"field":"signal.context.team_size","bands":[
            {"from":10,"points":100},{"from":3,"to":9,"points":40}]},
          {"id":"company","label":"Company identified","mode":"score","weight":28,"when":"has(company.domain)"},
          {"id":"employees","label":"Employees","mode":"score","weight":15,"field":"company.employees","bands":[
            {"from":50,"to":1000,"points":100},{"from":20,"to":49,"points":50},{"from":1001,"to":5000,"points":50}]},
          {"id":"industry","label":"Industry","mode":"score","weight":12,"field":"company.industry","bands":[
            {"in":["software","saas","fintech","internet"],"points":100},{"in":["it services","telecommunications"],"points":50}]}]}
        """);

    public static readonly DefinitionBody Persona = Read(DefinitionKind.Persona,
        """
        {"code":"VP Engineering","icp":"Mid-market SaaS","criteria":[
          {"id":"leads","label":"Leadership","mode":"filter","when":"person.seniority in ['founder','c_level','vp','head','director','manager']"},
          {"id":"seniority","label":"Seniority","mode":"score","weight":50,"field":"person.seniority","bands":[
            {"in":["vp","c_level","head"],"points":100},{"in":["founder","director"],"points":80},{"in":["manager"],"points":40}]},
          {"id":"function","label":"Function","mode":"score","weight":31,"field":"person.function","bands":[
            {"in":["engineering"],"points":100},{"in":["product"],"points":50}]},
          {"id":"profile","label":"LinkedIn profile","mode":"score","weight":19,"when":"has(person.linkedin_url)"}]}
        """);

    private static DefinitionBody Read(DefinitionKind kind, string json) =>
        JsonSerializer.Deserialize<DefinitionBody>(json, Json.Strict)!.Complete(kind);
}
