# cmake -DSOURCE=... -DTREE=... -DOPTIONS=... -DRUN=... -P build_and_run.cmake: builds a project with these
# options, on both cores as `ctest --build-and-test` does not, and runs a command.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${TREE} ${OPTIONS} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${TREE} -j 2 COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${RUN} COMMAND_ERROR_IS_FATAL ANY)
