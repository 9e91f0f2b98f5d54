namespace SignalHub.Webhooks.Delivery;

/// <summary>What the queue's statements tell the planner, for the rest of their transaction.</summary>
internal static class PlanSettings
{
    /// <summary>A deep queue makes plans look dear although they touch few rows, and compiling them took 3 s where running them takes one millisecond.</summary>
    public const string NoJit = "select set_config('jit', 'off', true)";

    /// <summary>The same for a prepared statement that is planned for its values each time.</summary>
    public const string EachTime = "select set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)";

    /// <summary>A statement that may take its time leaves the other cores to those in a hurry.</summary>
    public const string OneCore = "select set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)";

    /// <summary>
    /// Rows that are named by their keys are found by their keys, also in a queue so short that reading all of it looks cheaper. It is
    /// long by the time the plan runs, or full of what vacuum has not taken away.
    /// </summary>
    public const string ByKey = """
        select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true)
        """;
}
