using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Automations;
using SignalHub.Http;
using SignalHub.Storage;
using SignalHub.Webhooks;
using SignalHub.Workspaces;

namespace SignalHub.Operations;

/// <summary>What an automation would do with a signal.</summary>
/// <param name="WouldFire">Whether every part passed.</param>
/// <param name="Reasons">What is against it; empty when it would fire.</param>
/// <param name="Parts">Each part of the automation, with what it wants and what it saw.</param>
/// <param name="Request">What would be sent, also if it would not fire.</param>
/// <param name="Run">What it did when the signal came; null: nothing.</param>
public sealed record AutomationTrialView(
    string AutomationId, string SignalId, bool WouldFire, IReadOnlyList<string> Reasons, IReadOnlyList<FilterPart> Parts,
    TrialRequestView Request, AutomationRunView? Run);

/// <summary>A request as an automation would make it; signatures and the numbers of a delivery are added when it is sent.</summary>
/// <param name="Url">Null: its endpoint was deleted.</param>
/// <param name="Headers">Its own headers with their values; what may be a credential is not shown.</param>
/// <param name="TemplateError">Why there would be nothing to send; null: the templates are fine.</param>
public sealed record TrialRequestView(string? Url, IReadOnlyDictionary<string, string> Headers, JsonElement? Body, string? TemplateError);

/// <summary>A signal and what an automation made of it.</summary>
/// <param name="At">When the signal was received.</param>
/// <param name="Outcome"><c>fired</c>, <c>template_error</c>, <c>limit_reached</c>, <c>no_endpoint</c>; <c>not_fired</c> when trigger, condition or signal were against it.</param>
/// <param name="Reasons">Why not.</param>
public sealed record AutomationOutcomeView(
    DateTimeOffset At, string SignalId, string? LeadId, bool Fired, string Outcome, IReadOnlyList<string> Reasons, string? EventId, string? DeliveryId);

/// <summary>Automations held against stored signals.</summary>
internal static class AutomationTrialApi
{
    private const string NotFired = "not_fired";

    /// <summary>Lists what an automation did on signals, newest first.</summary>
    /// <remarks>
    /// Written when it happens: that it fired, that a template failed, that its limit was reached, that its endpoint was gone. That a condition was
    /// not met is not written for each signal; with `include=not_fired` the signals received since the automation was made are gone through
    /// instead, and it is worked out for each why it did not fire: the automation as it is set up now, the signal as it was, lead, person and
    /// company as they are now.
    /// </remarks>
    /// <param name="id">`auto_…`</param>
    /// <param name="outcome">Only `fired`, `template_error`, `limit_reached` or `no_endpoint`.</param>
    /// <param name="signalId">Only of that signal.</param>
    /// <param name="include">`not_fired`: all signals of its types, also those that it did not fire on.</param>
    internal static async Task<Results<Ok<Page<AutomationOutcomeView>>, Problem>> ListAutomationRuns(
        HttpContext context, Caller caller, string id, PageRequest page, QueryText outcome, QueryText signalId, QueryText include,
        AutomationStore automations, AutomationRunStore runs, AutomationTrials trials, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Automation, id, out var automationId)
            || await automations.FindAsync(caller.WorkspaceId, automationId, cancellationToken) is not var (found, _))
        {
            return AutomationsApi.NotFound(id);
        }
        if (outcome.Value is { } word && !RunOutcomes.All.Contains(word))
        {
            return new Problem(ProblemCodes.InvalidQuery, $"outcome has to be one of {string.Join(", ", RunOutcomes.All)}.");
        }
        Guid? ofSignal = null;
        if (signalId.Value is { } text)
        {
            if (!Ids.TryParse(Ids.Signal, text, out var parsed))
            {
                return new Problem(ProblemCodes.InvalidQuery, "signal_id has to be the id of a signal (sig_…).");
            }
            ofSignal = parsed;
        }
        if (include.Value is null)
        {
            var rows = await runs.ListAsync(caller.WorkspaceId, automationId, outcome.Value, ofSignal, page, cancellationToken);
            return TypedResults.Ok(page.ToPage(context, [.. rows.Select(run => new Listed<AutomationOutcomeView>(Of(run), run.At, run.SignalId))]));
        }
        if (include.Value != NotFired || outcome.Value is not null || ofSignal is not null)
        {
            return new Problem(ProblemCodes.InvalidQuery, "include has to be not_fired, without outcome and signal_id.");
        }
        var tried = await trials.NewestAsync(caller.WorkspaceId, found, page, cancellationToken);
        return TypedResults.Ok(page.ToPage(context, [.. tried.Select(t => new Listed<AutomationOutcomeView>(Of(t), t.Signal.ReceivedAt, t.Signal.Id))]));
    }

    /// <summary>Holds an automation against a stored signal and shows what it would send. Nothing is sent or written.</summary>
    /// <remarks>The automation as it is set up now, the signal and its scores as they were; lead, person and company as they are now; its limit as of now.</remarks>
    /// <param name="id">`auto_…`</param>
    internal static async Task<Results<Ok<AutomationTrialView>, Problem>> TestAutomation(
        Caller caller, string id, Body<ExplainBody> body, AutomationStore automations, AutomationTrials trials, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Automation, id, out var automationId)
            || await automations.FindAsync(caller.WorkspaceId, automationId, cancellationToken) is not var (_, target))
        {
            return AutomationsApi.NotFound(id);
        }
        if (body.Value.SignalId is not { Length: > 0 } given)
        {
            return Problem.Field(ProblemCodes.FieldRequired, "/signal_id", "/signal_id: say which signal, e.g. sig_01j4k8m2n3p5q6r7s8t9v0w1x2.");
        }
        if (!Ids.TryParse(Ids.Signal, given, out var signalId))
        {
            return Problem.Field(ProblemCodes.InvalidValue, "/signal_id", "/signal_id: has to be the id of a signal (sig_…).");
        }
        if (await trials.TryAsync(caller.WorkspaceId, automationId, signalId, cancellationToken) is not { } trial)
        {
            return Problem.NotFound($"The signal {given}");
        }
        var (wouldFire, reasons) = AutomationExplanation.Verdict(trial.Parts);
        var (rendered, headers, error) = trial.Automation.Render(trial.Triggering);
        var request = new TrialRequestView(target?.Url, headers.Select(Webhooks.Delivery.DeliveryHeaders.Shown).ToDictionary(), error is null ? JsonElement.Parse(rendered) : null, error);
        return TypedResults.Ok(new AutomationTrialView(
            trial.Automation.IdText, Ids.Text(Ids.Signal, signalId), wouldFire, reasons, trial.Parts, request, trial.Run is { } run ? AutomationRunView.Of(run) : null));
    }

    private static AutomationOutcomeView Of(AutomationRun run)
    {
        var view = AutomationRunView.Of(run);
        return new AutomationOutcomeView(view.At, view.SignalId, view.LeadId, view.Fired, view.Outcome, view.Detail is null ? [] : [view.Detail], view.EventId, view.DeliveryId);
    }

    private static AutomationOutcomeView Of(AutomationTrial trial)
    {
        if (trial.Run is { } run)
        {
            return Of(run);
        }
        var (wouldFire, reasons) = AutomationExplanation.Verdict(trial.Parts);
        return new AutomationOutcomeView(
            trial.Signal.ReceivedAt, Ids.Text(Ids.Signal, trial.Signal.Id), Ids.Text(Ids.Lead, trial.Signal.LeadId), Fired: false, NotFired,
            wouldFire ? ["It would fire now: automation, lead, person or company were others when the signal came."] : reasons, null, null);
    }
}
